"""`manage.py routing_whatif`: what it tells, its exit codes, and its words while it works."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting.management import progress
from iwrouting.models import Override, Revision
from iwrouting.planning import plan_now
from iwrouting.planning.bundles import write_bundle
from iwrouting.planning.whatif import proposals
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import contents_now
from tests.admin import cast
from tests.audit_tables import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recorded() -> None:
    """A call of the manager for atlas, and one that failed; gpt-nano costs a tenth."""
    cast.alias("manager", kind="role")
    cast.project("atlas")
    for name, share in (("gpt-4.1", 10), ("gpt-nano", 1)):
        cast.model(name)
        prices = {"input_pico": 200_000 * share, "cached_pico": 50_000 * share, "output_pico": 800_000 * share}
        cast.price(name, **prices)
    for hours, tokens in ((1, {"prompt_tokens": 1000, "completion_tokens": 100}), (2, {})):
        made = rows.decision(datetime.now(UTC) - timedelta(hours=hours))
        cost = {"cost_pico": 2_800_000_000, "cost_state": "exact", "price_version": "catalogue 2026-11-22"}
        priced = {**cost, "model_served": "gpt-4.1"} if tokens else {"cost_state": "unpriced"}
        rows.outcome(made, "ok" if tokens else "error", **tokens, **priced)


def run(*arguments: str) -> None:
    call_command("routing_whatif", *arguments)


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    run("--format", "json", *arguments)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_an_override__is_told_as_json_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = Revision.current()
    found = run_json(capsys, "--override", "manager=gpt-nano", "--project", "atlas")
    assert (found["version"], found["total"]["changed"], found["total"]["compared"]) == (1, 2, 1)
    assert found["total"]["difference_usd"] == "-0.00252"
    assert [(each["reason"], each["calls"]) for each in found["unpriced"]] == [("no_usage", 1)]
    assert Revision.current() == before
    assert not Override.objects.exists()


def test_a_table__tells_the_same_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    run("--format", "table", "--default", "manager=gpt-nano", "--days", "3")
    told = capsys.readouterr()
    assert "2 of 2 calls would change model. They cost $0.0028 (1 not priced)" in told.out
    assert "would have cost $0.00028 (1 not priced): -$0.00252 over the 1 calls" in told.out
    assert "Not priced after\nmodel     calls  why\ngpt-nano  1      Not priced at gpt-nano: no tokens" in told.out
    assert "Assumed: Tokens are those of the records" in told.err


def test_a_bundle__is_a_whole_proposal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "bundle.yaml"
    file.write_text(write_bundle(contents_now()).replace("default_model: gpt-4.1", "default_model: gpt-nano"))
    found = run_json(capsys, "--bundle", str(file))
    assert found["total"]["changed"] == 2
    assert [(each["object_type"], each["name"]) for each in found["proposal"]["changes"]] == [("alias", "manager")]


def test_what_changes_nothing__says_so(capsys: pytest.CaptureFixture[str]) -> None:
    run("--format", "table", "--default", "manager=gpt-4.1")
    assert "none of 2 calls would change model" in capsys.readouterr().out


def test_conflicts__are_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError) as caught:
        run("--override", "manager=gpt-unknown", "--format", "table")
    assert (caught.value.returncode, str(caught.value)) == (3, "Conflicts: unverified.")
    assert "unverified  gpt-unknown  2      gpt-unknown is not in the catalogue" in capsys.readouterr().out


def test_what_could_not_be_saved__is_exit_code_3_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    cast.model("vec-1", endpoints=["embeddings"])
    with pytest.raises(CommandError) as caught:
        run("--override", "manager=vec-1", "--format", "json")
    assert caught.value.returncode == 3
    assert "It could not be saved as it is: override manager for all projects" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Nothing is proposed"),
        (("--profile", "design", "--project", "atlas"), 2, "give --override too"),
        (("--profile", "design", "--bundle", "x.yaml"), 2, "give it alone"),
        (("--profile", "design", "--prune"), 2, "goes with --bundle"),
        (("--bundle", "nowhere.yaml"), 1, "nowhere.yaml can't be read: No such file"),
        (("--override", "manger=x"), 1, "There is no alias 'manger'. There are: manager."),
        (("--override", "manager=x", "--project", "nowhere"), 1, "There is no project 'nowhere'"),
        (("--override", "manager=no model"), 1, "override manager for all projects: model"),
        (("--override", "manager="), 1, "There is no override 'manager for all projects' to take away."),
        (("--override", "manager"), 1, "is no ALIAS=MODEL"),
        (("--override", "manager=x", "--days", "91"), 1, "no whole number from 1 to 90"),
    ],
)
def test_what_can_not_be_meant__is_refused(arguments: tuple[str, ...], code: int, said: str) -> None:
    with pytest.raises(CommandError, match=said) as caught:
        run(*arguments)
    assert caught.value.returncode == code


def test_a_configuration_that_can_not_be_read__is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise SnapshotRefused("alias manager: name is missing")

    monkeypatch.setattr(proposals, "contents_now", unreadable)
    with pytest.raises(CommandError, match="The configuration can't be read: alias manager"):
        run("--override", "manager=gpt-nano")


def test_a_plan_on_an_older_revision__is_stale() -> None:
    plan = plan_now({})
    cast.project("borea")
    with pytest.raises(proposals.BadProposal, match=rf"revision {plan.base} -> {plan.base + 1}"):
        proposals.proposal_of(plan)


def test_what_takes_long__says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", -1.0)
    run("--override", "manager=gpt-nano", "--format", "json")
    assert "100% of the window, 2 decisions" in capsys.readouterr().err
