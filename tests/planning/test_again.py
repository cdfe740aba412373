"""A stored decision gives its own answer under what its row records, and says what is otherwise now (G8)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from iwrouting.calls.deciding import ask_resolver
from iwrouting.models import Alias, ApiKey, Decision, Model, Override, Project, Upstream, new_key
from iwrouting.planning.again import again_now, again_then
from iwrouting.snapshot import builtin_configuration, load
from iwrouting.types import EnvironmentFacts, OverrideFacts
from tests.planning.deciding import decide, draft, store

pytestmark = pytest.mark.django_db

RESEARCH = "Compare the literature on retrieval, with sources and citations, in a systematic review of the evidence."


@pytest.fixture(autouse=True)
def matrix() -> None:
    for name in ("gpt-4.1", "gpt-5.1", "gpt-4.1-mini"):
        Model(model_id=name, endpoints=["chat", "responses"]).save()
    Alias(name="fast", kind="chat_mode", default_model="gpt-4.1-mini").save()
    Alias(name="auto", kind="chat_mode", default_model="gpt-4.1", chain=["fast"]).save()
    for name in ("deep", "research", "code"):
        Alias(name=name, kind="chat_mode", default_model="gpt-5.1", chain=["auto", "fast"]).save()
    Project(slug="atlas", external_id="42").save()


def override(**fields: Any) -> Override:
    row = Override(**{"alias": Alias.objects.get(name="deep"), "model": "gpt-4.1", "enabled": True, **fields})
    row.save()
    return row


def rewritten(decision: Decision, **values: Any) -> Decision:
    """The row as another release, or another host, might have written it; it is not stored."""
    for name, value in values.items():
        setattr(decision, name, value)
    return decision


def differing(decision: Decision) -> dict[str, list[Any]]:
    return dict(again_now(decision, load(), timezone.now()).differences)


def test_decisions__of_every_alias__give_their_answer_after_all_was_changed() -> None:
    row = override(project=Project.objects.get())
    made = [decide(name, project="atlas") for name in ("auto", "fast", "deep", "mode:code", "gpt-5.1")]
    made.append(decide("auto", prompt=RESEARCH, project="atlas"))
    row.delete()
    for alias in Alias.objects.all():
        alias.default_model, alias.chain = "gpt-4.1", []
        alias.save()
    Project.objects.get().delete()
    assert made[-1].inferred_mode == "research"
    for decision in made:
        found = again_then(decision)
        assert found.is_same, (decision.model_asked, found)
        assert found.notes == (f"The key iw_{decision.key_id} is not of that revision: its grants are left out.",)
    assert differing(made[0])["chain"]


def test_call__at_the_border_of_a_window__is_resolved_at_its_decisions_own_time() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    window = OverrideFacts(
        "override:1", "deep", None, "gpt-4.1", starts_at=at, expires_at=at + timedelta(milliseconds=1)
    )
    made = draft(replace(load(), overrides={(None, "deep"): window}))
    made.asked = "deep"
    seen = {}
    for moment in (at - timedelta(milliseconds=1), at, at + timedelta(milliseconds=1)):
        made.decision_at = moment
        seen[moment] = ask_resolver(made, "deep", None, "chat").model
    assert list(seen.values()) == ["gpt-5.1", "gpt-4.1", "gpt-5.1"]


def test_decision__within_a_window_that_is_over__gives_its_answer() -> None:
    now = timezone.now()
    override(starts_at=now - timedelta(days=1), expires_at=now + timedelta(days=1))
    made = draft(load())
    made.decision_at = now - timedelta(hours=25)
    made.asked = "deep"
    made.resolution = ask_resolver(made, "deep", None, "chat")
    decision = store(made)
    assert (decision.source, json.loads(decision.ladder)[1]["state"]) == ("default", "scheduled")
    assert again_then(decision).is_same
    assert differing(decision)["source"] == ["default", "override"]


def test_now__tells_old_and_new_of_what_became_otherwise() -> None:
    decision = decide("deep", project="atlas")
    row = override()
    found = differing(decision)
    assert (found["model"], found["source"]) == (["gpt-5.1", "gpt-4.1"], ["default", "override"])
    assert found["ladder"][1][1] == {
        "source": "override", "value": "gpt-4.1", "state": "used", "ref": f"override:{row.pk}",
    }  # fmt: skip
    assert again_then(decision).is_same


def test_environment__other_values_now__those_of_the_row_count() -> None:
    Alias(name="manager", kind="role", default_model="gpt-4.1", variable="OPENAI_MODEL_MANAGER").save()
    config = load()
    named = EnvironmentFacts(id="0123456789abcdef", values={"OPENAI_MODEL_MANAGER": "gpt-5.1"})
    decision = decide("manager", replace(config, environment=named))
    assert (decision.source, decision.model_resolved) == ("environment", "gpt-5.1")
    assert again_then(decision).is_same
    assert differing(decision)["source"] == ["environment", "default"]


def test_key__with_grants_of_then__is_asked_with_them() -> None:
    text = new_key()
    ApiKey(
        key_id=text.key_id, sha256=text.sha256, name="k", project=Project.objects.get(), allowed_models=["gpt-4.1-mini"]
    ).save()
    config = load()
    decision = decide("deep", project="atlas", key=config.keys[text.sha256])
    assert [rung["skip"] for rung in json.loads(decision.chain)] == ["not_allowed", "not_allowed", None]
    row = ApiKey.objects.get()
    row.allowed_models = None
    row.revoked_at = timezone.now()
    row.save()
    found = again_then(decision)
    assert (found.is_same, found.notes) == (True, ())
    now = again_now(decision, load(), timezone.now())
    assert now.notes == (f"The key iw_{text.key_id} is not valid any more: a call with it is refused.",)
    assert [rung["skip"] for rung in now.differences["chain"][1]] == [None, None, None]


def test_break_glass__the_overrides_on_the_row_count_as_disabled() -> None:
    row = override()
    config = load()
    off = {place: replace(each, enabled=False) for place, each in config.overrides.items()}
    decision = decide("deep", replace(config, overrides=off))
    assert not again_then(decision).is_same
    found = again_then(rewritten(decision, warnings=json.dumps([f"break_glass: override:{row.pk}"])))
    assert found.is_same
    assert f"Break-glass had switched off override:{row.pk} on that host: it counts as disabled here." in found.notes


def test_environments_upstream__with_another_name_then__is_taken_from_the_row() -> None:
    config = load()
    old = replace(config.upstreams[config.default_upstream], slug="provider-eu")
    decision = decide("deep", replace(config, upstreams={"provider-eu": old}, default_upstream="provider-eu"))
    assert decision.upstream == "provider-eu"
    assert again_then(decision).is_same


def test_upstream_of_the_database__then__is_known() -> None:
    far = Upstream(slug="far", base_url="https://far.example/v1", secret_ref="env:IW_UPSTREAM_FAR")
    far.save()
    model = Model.objects.get(model_id="gpt-5.1")
    model.upstream = far
    model.save()
    decision = decide("deep")
    model.upstream = None
    model.save()
    far.delete()
    assert decision.upstream == "far"
    assert again_then(decision).is_same


def test_ladder_unreadable__the_built_in_matrix_answers() -> None:
    decision = decide("manager", builtin_configuration())
    assert again_then(decision).is_same
    older = again_then(rewritten(decision, catalogue_version="2020-01-01", app_version="0.0.1"))
    assert [note.partition(" was ")[0] for note in older.notes[:2]] == ["The service", "The built-in matrix"]


def test_rung_passed_over_for_its_window__is_no_difference() -> None:
    decision = decide("deep")
    chain = json.loads(decision.chain)
    chain[0]["skip"] = "window"
    assert again_then(rewritten(decision, chain=json.dumps(chain))).is_same


def test_other_rules_of_auto__the_stored_mode_counts_and_that_is_said() -> None:
    decision = rewritten(decide("auto", prompt=RESEARCH), rules_version="0", inferred_mode="code", reason="of old")
    found = again_then(rewritten(decision, source="default", ladder=json.dumps(_ladder("code"))))
    assert not found.differences.keys() & {"inferred_mode", "reason", "model"}
    assert found.notes[0].startswith("The rules of auto were 0 then")


def _ladder(alias: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(decide(alias).ladder)
    return found


def test_row_that_says_otherwise__is_not_the_same() -> None:
    found = again_then(rewritten(decide("deep"), model_resolved="gpt-9"))
    assert (found.is_same, found.differences) == (False, {"model": ["gpt-9", "gpt-5.1"]})


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"revision": 10_000}, "There is no revision 10000"),
        ({"environment_id": "nowhere"}, "No environment nowhere was ever recorded."),
        ({"endpoint": "responses.get"}, "No model was chosen"),
        ({"model_asked": ""}, "the request named no model"),
    ],
)
def test_what_can_not_be_derived__says_why(values: dict[str, Any], why: str) -> None:
    found = again_then(rewritten(decide("deep"), **values))
    assert (found.resolution, found.is_same) == (None, False)
    assert why in found.refusal


def test_refused_then__the_resolver_refuses_again_and_tells_what_it_says_now() -> None:
    decision = decide("fats")
    assert "Did you mean 'fast'?" in again_then(decision).refusal
    Alias(name="fats", kind="role", default_model="gpt-4.1").save()
    now = again_now(decision, load(), timezone.now())
    assert now.resolution is not None
    assert now.differences["model"] == ["", "gpt-4.1"]
    other = again_then(rewritten(decide("deep"), source="", ladder="[]", chain="[]", model_resolved=""))
    assert "refused for something else" in " ".join(other.notes)


def test_now__says_what_is_not_there_any_more() -> None:
    gone = decide("auto", project="atlas")
    Project.objects.get().delete()
    assert again_now(gone, load(), timezone.now()).notes == (
        f"There is no key iw_{gone.key_id} any more: its grants are left out.",
        "There is no project atlas: the global rungs are taken.",
        "No features of its messages were stored, so that auto is its own model here.",
    )


def test_unknown_project_then__that_exists_now__is_taken_now_and_not_for_then() -> None:
    decision = decide("deep", text="nova")
    Project(slug="nova").save()
    override(project=Project.objects.get(slug="nova"))
    assert again_then(decision).is_same
    assert differing(decision)["source"] == ["default", "project_override"]


def test_text_on_the_row_that_is_no_json__is_a_difference_and_no_crash() -> None:
    found = again_then(rewritten(decide("deep"), ladder="{", chain='"x"', features="[1]", warnings="{}"))
    assert found.differences.keys() == {"ladder", "chain"}
