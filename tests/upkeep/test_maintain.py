"""`manage.py maintain`: every step once, one run at a time, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from iwrouting.audit.ids import new_id
from iwrouting.audit.keeping.tables import TABLES, kept_from
from iwrouting.audit.locks import only_one
from iwrouting.conf import settings
from iwrouting.management import maintenance
from iwrouting.models import HeldResponse, Seal
from iwrouting.reports.views import VIEWS
from iwrouting.server.upkeep import Job
from tests.upkeep import story
from tests.upkeep.databases import IS_POSTGRESQL

OLD = story.month(-20)
Told = Callable[[], dict[str, Any]]


@pytest.fixture(autouse=True)
def old(own: str) -> None:
    """Two calls of a month that is too old, one of this month."""
    if IS_POSTGRESQL:
        for table in TABLES:
            story.run("SELECT iw_audit_make_partition(%s, %s)", table, OLD)
    story.calls(OLD, 2)
    story.calls(story.month(0), 1)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """What the last run told of its steps, by name."""

    def read() -> dict[str, Any]:
        return {step["step"]: step for step in json.loads(capsys.readouterr().out)["steps"]}

    return read


def hold(days: int) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    values = {"response_id": f"resp_{days}", "upstream": "openai", "model": "gpt-4.1"}
    HeldResponse.objects.create(id=new_id(), decision_id=new_id(), created_at=at, **values)


def test_dry_run__old_months__tells_them_and_changes_nothing(told: Told) -> None:
    hold(500)
    call_command("maintain", dry_run=True, format="json")
    steps = told()
    (month,) = steps["retention"]["counts"]["months"]
    assert (month["month"], month["rows"]) == (f"{OLD:%Y-%m}", story.each(2))
    assert steps["held"]["line"] == "would remove 1 row of held responses"
    assert story.counts() == story.each(3)
    assert not Seal.objects.exists()


def test_run__old_months_and_held_responses__leave_and_reports_show_the_rest(told: Told) -> None:
    hold(399)
    hold(401)
    call_command("maintain", yes=True, format="json")
    steps = told()
    assert [step["fault"] for step in steps.values()] == [""] * len(steps)
    assert f"removed 1 month before {kept_from(400, datetime.now(UTC)):%Y-%m}, 6 rows" in steps["retention"]["line"]
    assert story.counts() == story.each(1)
    assert Seal.objects.filter(kind="removal").count() == 1
    assert HeldResponse.objects.get().response_id == "resp_399"
    for view in VIEWS[:2]:
        assert story.run(f"SELECT count(*) FROM {view}") == [(1,)]  # noqa: S608
    call_command("maintain", yes=True, format="json")
    assert "removed 0 months" in told()["retention"]["line"]


def test_run__another_is_at_it__does_nothing_and_says_so() -> None:
    with only_one("maintain") as ours:
        assert ours
        with pytest.raises(CommandError, match="Another 'maintain' is at it") as raised:
            call_command("maintain", yes=True)
    assert raised.value.returncode == 4
    assert story.counts() == story.each(3)


def test_run__a_step_fails__the_others_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise DatabaseError("no luck")

    jobs = (Job("sweep", 10, lambda: {"closed": 3}), Job("seal", 3600, fails))
    monkeypatch.setattr(maintenance, "jobs", lambda: jobs)
    with pytest.raises(CommandError, match=r"Failed: seal\. The other steps ran") as raised:
        call_command("maintain", yes=True, format="table")
    assert raised.value.returncode == 1
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["sweep"].startswith("3 closed (")
    assert lines["seal"].startswith("DatabaseError: no luck (")
    assert story.counts() == story.each(1)


def test_run__retention_of_none__keeps_all(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    conf = settings().model_copy(update={"audit_retention_days": 0, "held_retention_days": 0})
    monkeypatch.setattr(maintenance, "settings", lambda: conf)
    hold(5000)
    call_command("maintain", yes=True, format="json")
    assert told()["retention"]["line"] == "keeps all (IW_AUDIT_RETENTION_DAYS=0)"
    assert story.counts() == story.each(3)
    assert HeldResponse.objects.count() == 1
