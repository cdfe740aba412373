"""`POST /api/v1/whatif`: what may be proposed, whose calls are counted, and how long it may take."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from iwrouting.api.management import what_if as door
from iwrouting.models import Alias, Change, Decision, Override, Revision
from iwrouting.planning.bundles import write_bundle
from iwrouting.snapshot.contents import contents_now
from iwrouting.types import Scope
from tests.admin import cast
from tests.api.stock import Stock, error_of, refused
from tests.audit_tables import rows

PATH = "/api/v1/whatif"


@pytest.fixture
def recorded(stock: Stock) -> Stock:
    """Three calls of the manager for atlas and one for borea, at 2 and 8 dollars; gpt-nano costs a tenth."""
    stock.alias("manager")
    stock.alias("embedding", kind="embedding", default_model="vec-1")
    for slug in ("atlas", "borea"):
        stock.project(slug)
    cast.model("gpt-4.1")
    cast.model("gpt-nano")
    cast.price("gpt-4.1")
    cast.price("gpt-nano", input_pico=200_000, cached_pico=50_000, output_pico=800_000)
    for number, project in enumerate(("atlas", "atlas", "atlas", "borea")):
        call(project, datetime.now(UTC) - timedelta(hours=1 + number))
    return stock


def call(project: str, at: datetime) -> None:
    """1,000 tokens of input and 100 of output: 0.0028 dollars."""
    made = rows.decision(at, project=project)
    tokens = {"prompt_tokens": 1000, "completion_tokens": 100, "model_served": "gpt-4.1"}
    cost = {"cost_pico": 2_800_000_000, "cost_state": "exact", "price_version": "catalogue 2026-11-22"}
    rows.outcome(made, "ok", **tokens, **cost)


def ask(stock: Stock, body: Any, *, key: str = "", **fields: Any) -> HttpResponse:
    """One request, with a key for all projects."""
    return stock.ask("POST", PATH, key or stock.key(projects=["*"]), body, **fields)


def told(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def override(model: str | None = "gpt-nano", **more: Any) -> dict[str, Any]:
    return {"override": {"alias": "manager", "model": model, **more}}


def test_an_override__is_run_against_the_calls_of_its_project(recorded: Stock) -> None:
    found = told(ask(recorded, override(project="atlas")))
    total = found["total"]
    assert (total["calls"], total["changed"], total["compared"]) == (4, 3, 3)
    assert (total["before"]["cost_usd"], total["after"]["cost_usd"]) == ("0.0084", "0.00084")
    assert (total["difference_usd"], total["difference_pico"]) == ("-0.00756", -7_560_000_000)
    assert [(line["project"], line["changed"]) for line in found["by_project"]] == [("atlas", 3)]
    assert [(line["model_before"], line["model_after"]) for line in found["by_model"]] == [("gpt-4.1", "gpt-nano")]
    assert found["recorded"]["cost_usd"] == "0.0112"
    [row] = found["proposal"]["changes"]
    assert (row["operation"], row["name"], row["changed"]["model"]) == (
        "create", "manager for atlas", [None, "gpt-nano"],
    )  # fmt: skip


def test_nothing_is_changed_or_recorded(recorded: Stock) -> None:
    key = recorded.key(projects=["*"])
    before = Revision.current(), Change.objects.count(), Decision.objects.count()
    told(ask(recorded, override(), key=key))
    assert (Revision.current(), Change.objects.count(), Decision.objects.count()) == before
    assert not Override.objects.exists()


def test_a_key_that_would_go__is_told_without_its_hash(recorded: Stock) -> None:
    gone = recorded.key("call")
    body = {"changes": [{"object_type": "key", "name": gone[3:13], "delete": True}]}
    [row] = told(ask(recorded, body))["proposal"]["changes"]
    assert (row["operation"], row["name"], row["changed"]["scopes"]) == ("delete", gone[3:13], [["call"], None])
    assert "sha256" not in row["changed"]


def test_an_override_that_goes__gives_back_what_is_below_it(recorded: Stock) -> None:
    Override(alias=Alias.objects.get(name="manager"), model="gpt-nano").save()
    found = told(ask(recorded, override(None)))
    assert [(line["model_before"], line["model_after"]) for line in found["by_model"]] == [("gpt-nano", "gpt-4.1")]
    assert found["drifted"] == 4


def test_changes__are_taken_together(recorded: Stock) -> None:
    body = {
        "changes": [
            {"object_type": "alias", "name": "manager", "fields": {"default_model": "gpt-nano"}},
            {"object_type": "model", "name": "gpt-nano", "fields": {"enabled": False}},
        ]
    }
    found = told(ask(recorded, body))
    assert {each["kind"]: each["calls"] for each in found["conflicts"]} == {"disabled": 4, "refused": 4}
    assert found["total"]["after"]["none"] == 4
    assert any("No rung of manager can serve" in line for line in found["proposal"]["findings"])


def test_a_bundle__is_a_whole_proposal(recorded: Stock) -> None:
    bundle = write_bundle(contents_now())
    assert told(ask(recorded, {"bundle": bundle}))["total"]["changed"] == 0
    other = bundle.replace("default_model: gpt-4.1", "default_model: gpt-nano")
    assert told(ask(recorded, {"bundle": other}))["total"]["changed"] == 4


def test_a_model_of_another_vector_space__is_a_conflict_and_could_not_be_saved(recorded: Stock) -> None:
    for name, space in (("vec-1", "one"), ("vec-2", "two")):
        cast.model(name, endpoints=["embeddings"], vector_space=space)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    rows.outcome(rows.decision(at, model_asked="embedding", alias="embedding", endpoint="embeddings"), "ok")
    found = told(ask(recorded, {"override": {"alias": "embedding", "model": "vec-2"}}))
    [conflict] = [each for each in found["conflicts"] if each["kind"] == "vector_space"]
    assert (conflict["model"], conflict["calls"], len(conflict["examples"])) == ("vec-2", 1, 1)
    assert found["proposal"]["refused"]


def test_a_key_for_one_project__counts_its_calls_alone(recorded: Stock) -> None:
    key = recorded.key(Scope.MANAGE, project="borea")
    found = told(ask(recorded, override(project="borea"), key=key))
    assert (found["total"]["calls"], found["recorded"]["cost_usd"]) == (1, "0.0028")
    assert [line["project"] for line in found["by_project"]] == ["borea"]


@pytest.mark.parametrize(
    "body",
    [
        override(),
        override(project="atlas"),
        {"profile": "design"},
        {"bundle": "version: 1"},
        {"changes": [{"object_type": "override", "name": "manager for atlas", "fields": {"model": "gpt-nano"}}]},
        {**override(project="borea"), "changes": []},
    ],
)
def test_a_key_for_one_project__proposes_overrides_of_it_alone(recorded: Stock, body: dict[str, Any]) -> None:
    key = recorded.key(Scope.MANAGE, project="borea")
    assert refused(ask(recorded, body, key=key)) == (403, "project_not_granted", None)


def test_days__look_back_so_far(recorded: Stock) -> None:
    call("atlas", datetime.now(UTC) - timedelta(days=9))
    assert told(ask(recorded, override()))["total"]["calls"] == 4
    assert told(ask(recorded, {**override(), "days": 10}))["total"]["calls"] == 5


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "bad_proposal", None),
        ({"override": {"alias": "manger", "model": "gpt-nano"}}, "bad_proposal", None),
        ({"override": {"alias": "manager", "model": "gpt-nano", "project": "nowhere"}}, "bad_proposal", None),
        ({"override": {"alias": "manager", "model": "not a model"}}, "bad_proposal", None),
        ({"override": {"alias": "manager", "model": None}}, "bad_proposal", None),
        ({"changes": [{"object_type": "alias", "name": "manager", "fields": {"colour": "red"}}]}, "bad_proposal", None),
        ({"changes": [{"object_type": "alias", "name": "manager", "fields": {"chain": 7}}]}, "bad_proposal", None),
        ({"changes": [{"object_type": "key", "name": "k", "fields": {"sha256": "0"}}]}, "bad_proposal", None),
        ({"changes": [{"object_type": "alias", "name": "none", "delete": True}]}, "bad_proposal", None),
        ({"bundle": "version: 1\naliasses: {}\n"}, "bad_proposal", None),
        ({"bundle": "version: 1\n", **override()}, "bad_proposal", None),
        ({"profile": "fast"}, "invalid_choice", "profile"),
        ({"overide": {}}, "unknown_field", "overide"),
        ({"days": 0, **override()}, "min_value", "days"),
        ({"days": 91, **override()}, "max_value", "days"),
    ],
)
def test_what_can_not_be_meant__is_refused_with_its_reason(recorded: Stock, body: Any, code: str, param: str) -> None:
    answer = ask(recorded, body)
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)
    error = error_of(answer)
    assert code in (error["code"], *(each["code"] for each in error.get("details", ())))


def test_an_unknown_alias__is_answered_with_those_there_are(recorded: Stock) -> None:
    answer = ask(recorded, {"override": {"alias": "manger", "model": "gpt-nano"}})
    assert error_of(answer)["message"] == "There is no alias 'manger'. There are: embedding, manager."


def test_what_takes_too_long__is_a_503_that_says_what_to_do(recorded: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.0)
    answer = ask(recorded, override())
    assert refused(answer) == (503, "what_if_too_long", None)
    assert "manage.py routing_whatif" in error_of(answer)["message"]
