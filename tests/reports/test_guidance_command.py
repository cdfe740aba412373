"""`reporting guidance`: what it ranks, in which words, and where it says to change it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest

from iwrouting.models import Alias, Model, Override, Price, Project
from iwrouting.types import ALWAYS
from tests.audit_tables.rows import decision, outcome
from tests.commands.running import Done, run

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-12-01")


@pytest.fixture(autouse=True)
def _world() -> None:
    for name, tier, pico in (("nano", "small", 100_000), ("mini", "mid", 400_000), ("big", "strong", 1_250_000)):
        Model.objects.create(model_id=name, endpoints=["chat"], tier=tier)
        Price.objects.create(model_id=name, valid_from=ALWAYS, input_pico=pico, output_pico=8 * pico)
    Alias.objects.create(name="fast", kind="chat_mode", tier="small", default_model="nano", chain=["big"])
    Alias.objects.create(name="auto", kind="chat_mode", tier="mid", default_model="mini")
    Alias.objects.create(
        name="summary", kind="role", tier="small", default_model="big", variable="OPENAI_MODEL_SUMMARY"
    )
    Project.objects.create(slug="atlas", external_id="p-1")


def call(alias: str = "summary", model: str = "big", pico: int | None = 10**12, **values: Any) -> None:
    """A call with a million tokens of input, for a dollar where nothing else is said."""
    about = {"project": "atlas", "inferred_mode": "", "is_test": False, **values}
    ended = {"model_served": model, "cost_state": "unpriced" if pico is None else "exact", "cost_pico": pico}
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    outcome(decision(about.pop("at", AT), alias=alias, **about), "ok", **ended, **usage)


def guidance(*arguments: str, form: str = "json") -> Done:
    return run("reporting", "guidance", *NOVEMBER, *arguments, "--format", form)


def fixes(done: Done) -> list[str]:
    return [each["fix"] for each in done.json["findings"]]


def test_guidance__ranks_by_what_could_be_saved__in_words() -> None:
    call()
    call()
    call("auto", pico=12 * 10**12)
    call("summary", "nano")
    call("summary", "mini", 1)
    done = guidance(form="table")
    assert done.out == (
        "1. atlas: auto (mid task) was served by big (strong) in 1 call for $12.00. mini would have cost $0.40: save "
        "$11.60.\n"
        "   mini serves it now: nothing to change.\n"
        "2. atlas: summary (small task) was served by big (strong) in 2 calls for $2.00. nano would have cost $0.20: "
        "save $1.80.\n"
        "   Change the default of summary to nano (admin: Aliases, summary).\n"
    )
    assert (done.code, done.err) == (3, "2 findings over 3 calls; $13.40 could have been saved.")
    top = guidance("--top", "1", form="table")
    assert top.out.endswith("and 1 more: --top shows them\n")


def test_guidance__as_data__has_integers_and_dollars() -> None:
    call()
    (row,) = guidance().json["findings"]
    assert (row["cost_pico"], row["cost_at_tier_pico"], row["saving_pico"]) == (10**12, 10**11, 9 * 10**11)
    assert (row["saving_usd"], row["reference_models"], row["calls"]) == ("0.9", ["nano"], 1)
    head, line = guidance(form="csv").out.splitlines()
    assert (head.split(",")[:4], line.split(",")[:4]) == (
        ["project", "alias", "inferred_mode", "model_served"],
        ["atlas", "summary", "", "big"],
    )
    assert len(guidance(form="jsonl").out.splitlines()) == 1


def test_guidance__what_is_not_exact_or_not_known__is_said() -> None:
    call()
    call(pico=None, at=AT.replace(day=4))
    (told,) = (each["told"] for each in guidance().json["findings"])
    assert "in 2 calls for $1.00 (1 of them could not be compared). nano would have cost about $0.10" in told
    nano = Model.objects.get(model_id="nano")
    nano.enabled = False
    nano.save()
    done = guidance()
    (row,) = done.json["findings"]
    assert row["told"].endswith(
        "in 2 calls for $1.00. What the right tier would have cost is not known: no living model of that tier has a "
        "price for these tokens."
    )
    assert (row["saving_pico"], "what could be saved is not known" in done.err) == (None, True)


def test_guidance__says_where_to_change_what_serves_now(monkeypatch: pytest.MonkeyPatch) -> None:
    call()
    summary, atlas = Alias.objects.get(name="summary"), Project.objects.get(slug="atlas")
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_SUMMARY": "big"})
    assert fixes(guidance()) == ["Set OPENAI_MODEL_SUMMARY=nano in the environment, and start again."]
    Override.objects.create(alias=summary, model="big")
    ours = "manage.py routing_override set summary --model nano --reason ..."
    assert fixes(guidance()) == [f"Change the override of all projects: {ours}"]
    Override.objects.create(alias=summary, project=atlas, model="big")
    theirs = "manage.py routing_override set summary --project atlas --model nano --reason ..."
    assert fixes(guidance()) == [f"Change the override of atlas: {theirs}"]


def test_guidance__of_what_serves_no_longer__says_what_does() -> None:
    call("fast", "big")
    call("auto", "big", inferred_mode="fast", project="who?")
    one, other = fixes(guidance())
    assert one == other
    assert one.startswith("nano serves it now and big is a fallback of it: see why the first model failed")
    assert guidance().json["findings"][1]["told"].startswith("who?: auto taken for fast (small task) was served by big")


def test_guidance__takes_its_days_its_project_and_no_test_traffic() -> None:
    call(at=AT.replace(month=10, day=31, hour=23, minute=59))
    call(at=AT.replace(month=12, day=1, hour=0))
    call(is_test=True)
    done = guidance()
    assert (done.code, done.json["findings"]) == (0, [])
    assert "From 2026-11-01 up to 2026-12-01 no stronger model" in done.err
    call(project="boreas")
    assert guidance("--project", "p-1").code == 0
    assert guidance().code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2026-13-01"), "'2026-13-01' is no day: give one such as 2026-11-01"),
        (("--from", "2026-12-01"), "--from 2026-12-01 is not before --to 2026-12-01"),
        (("--top", "0"), "--top 0: give a whole number from 1 on."),
        (("--project", "altas"), "There is no project altas. Did you mean atlas?"),
    ],
)
def test_guidance__of_what_can_not_be_meant__says_what_can(arguments: tuple[str, ...], told: str) -> None:
    done = guidance(*arguments)
    assert done.code in (1, 2)
    assert told in done.err


def test_guidance__names_that_callers_made_up__do_nothing_to_a_terminal_or_a_sheet() -> None:
    call(project="=cmd\x1b[31m")
    assert "\x1b" not in guidance(form="table").out
    assert guidance(form="csv").out.splitlines()[1].startswith("'=cmd")


def test_small_sums__are_written_out() -> None:
    ended = {"model_served": "big", "cost_state": "exact", "cost_pico": 90_000_000}
    made = decision(AT, alias="summary", project="atlas", is_test=False)
    outcome(made, "ok", **ended, prompt_tokens=100, completion_tokens=0)
    done = guidance(form="table")
    assert "for $0.00009. nano would have cost $0.00001: save $0.00008." in done.out
    assert done.err == "1 finding over 1 call; $0.00008 could have been saved."


def test_a_shut_down_model_whose_fallback_serves__is_named_with_what_replaces_it() -> None:
    nano = Model.objects.get(model_id="nano")
    nano.shutdown_date, nano.tier = date(2026, 10, 23), "mid"
    nano.save()
    Model.objects.create(model_id="tiny", endpoints=["chat"], tier="small")
    Price.objects.create(model_id="tiny", valid_from=ALWAYS, input_pico=1, output_pico=1)
    call("fast")
    assert fixes(guidance()) == [
        "nano was shut down on 2026-10-23, so that big, a fallback of it, serves. Plan another model for it: "
        "manage.py matrix_replace nano --dry-run"
    ]


def test_a_sheet__says_true_and_false_as_the_other_sheets() -> None:
    call()
    (row,) = csv.DictReader(io.StringIO(guidance(form="csv").out))
    assert row["is_estimated"] == "false"
