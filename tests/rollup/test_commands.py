"""`reporting rebuild` and `reporting status`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting.management.reporting import rebuild
from iwrouting.models import UsageCell, UsageMark
from iwrouting.reports.usage import rolling
from iwrouting.reports.usage.rolling import roll, settle
from tests.rollup.sums import assert_rolled
from tests.rollup.test_rolling import AT, call

pytestmark = pytest.mark.django_db
Captured = pytest.CaptureFixture[str]


def reporting(*arguments: str) -> None:
    call_command("reporting", *arguments)


@pytest.fixture
def rolled() -> None:
    """Calls of two hours and the next day, rolled up."""
    for minutes in (0, 20, 60, 24 * 60):
        call(AT + timedelta(minutes=minutes), run_id="r1")
    roll(lambda _line: None)


def spoil() -> None:
    """Cells that are wrong, as nothing of ours makes them."""
    UsageCell.objects.update(prompt_tokens=99)


def status(capsys: Captured) -> dict[str, Any]:
    capsys.readouterr()
    reporting("status", "--format", "json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_rebuild__cells_that_are_wrong__are_right_again(rolled: None, capsys: Captured) -> None:
    spoil()
    reporting("rebuild", "--from", "2020-01-01", "--to", "2026-11-04T10:15:00Z", "--yes")
    assert_rolled()
    told = "97 quarters of an hour, from 2026-11-03 10:00 to 2026-11-04 10:15 UTC"
    assert capsys.readouterr().err.endswith(f"Made anew {told}: summed up 97 quarters.\n")


def test_rebuild__a_part__leaves_the_rest(rolled: None, capsys: Captured) -> None:
    spoil()
    reporting("rebuild", "--from", "2026-11-03T10:00:00Z", "--to", "2026-11-03T10:16:00Z", "--yes")
    told = "2 quarters of an hour, from 2026-11-03 10:00 to 2026-11-03 10:30 UTC"
    assert capsys.readouterr().err == f"Made anew {told}: summed up 2 quarters.\n"
    wrong = UsageCell.objects.filter(prompt_tokens=99)
    assert {(cell.width, cell.bucket_at.hour) for cell in wrong} == {(15, 11), (15, 10), (60, 11), (60, 10), (1440, 0)}
    assert not wrong.filter(bucket_at__lt=AT + timedelta(minutes=59), width__lt=1440).exists()


def test_rebuild__from_the_first_to_the_last_moment_of_all__takes_what_there_is(rolled: None, capsys: Captured) -> None:
    spoil()
    reporting("rebuild", "--from", "0001-01-01", "--to", "9999-12-31T23:59:59Z", "--yes")
    assert_rolled()
    assert "summed up 97 quarters" in capsys.readouterr().err


def test_rebuild__dry_run__changes_nothing(rolled: None, capsys: Captured) -> None:
    spoil()
    reporting("rebuild", "--from", "2020-01-01", "--to", "2026-11-03T11:00:00Z", "--dry-run")
    told = "4 quarters of an hour, from 2026-11-03 10:00 to 2026-11-03 11:00 UTC"
    assert capsys.readouterr().err == f"Would make anew {told}.\n"
    assert not UsageMark.objects.exists()
    assert not UsageCell.objects.exclude(prompt_tokens=99).exists()


def test_rebuild__up_to_a_year_far_ahead__marks_no_more_than_there_is(rolled: None, capsys: Captured) -> None:
    reporting("rebuild", "--from", "2026-11-04", "--to", "2126-11-04", "--dry-run")
    told = "41 quarters of an hour, from 2026-11-04 00:00 to 2026-11-04 10:15 UTC"
    assert capsys.readouterr().err == f"Would make anew {told}.\n"
    reporting("rebuild", "--from", "2026-11-05", "--to", "2126-11-04", "--yes")
    assert capsys.readouterr().err == "Nothing to make anew: there are no decisions and no cells of this time.\n"
    assert not UsageMark.objects.exists()


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (("--from", "2026-11-03"), 2, "Add --yes to rebuild"),
        (("--from", "2026-11-03", "--to", "2026-11-02", "--yes"), 2, "between --from 2026-11-03T00:00Z and --to"),
    ],
)
def test_rebuild__wrong_usage__says_what(rolled: None, given: tuple[str, ...], code: int, says: str) -> None:
    with pytest.raises(CommandError, match=says) as raised:
        reporting("rebuild", *given)
    assert raised.value.returncode == code
    assert not UsageMark.objects.exists()


def test_rebuild__rows_were_removed__is_refused_and_keeps_the_cells(rolled: None) -> None:
    settle(datetime(2026, 11, 4, 6, tzinfo=UTC))
    kept = list(UsageCell.objects.order_by("id").values())
    with pytest.raises(CommandError, match=r"rows before 2026-11-04 06:00 UTC were removed.*--from 2026-11-04T06:00Z"):
        reporting("rebuild", "--from", "2026-11-03", "--yes")
    assert (list(UsageCell.objects.order_by("id").values()), UsageMark.objects.count()) == (kept, 0)


def test_rebuild__broken_off__reports_are_right_and_the_rest_is_marked(
    rolled: None, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    spoil()
    real = rolling._take_and_sum
    done: list[Any] = []

    def once(*given: Any) -> rolling.Rolled:
        if done:
            raise KeyboardInterrupt
        done.append(given)
        return real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(rolling, "_take_and_sum", once)
        with pytest.raises(CommandError, match="Broken off: reports are right") as raised:
            reporting("rebuild", "--from", "2026-11-03", "--to", "2026-11-03T12:00:00Z", "--yes")
    assert raised.value.returncode == rebuild.BROKEN_OFF
    assert UsageMark.objects.exists()
    waiting = status(capsys)["quarters_waiting"]
    assert 0 < waiting < 8
    assert roll(lambda _line: None).quarters == waiting
    assert not UsageCell.objects.filter(prompt_tokens=99, bucket_at__lt=datetime(2026, 11, 3, 12, tzinfo=UTC)).exists()


def test_status__before_and_after_a_roll__tells_marks_and_cells(capsys: Captured) -> None:
    empty = {"15": 0, "60": 0, "1440": 0}
    call(AT)
    call(AT + timedelta(minutes=1), run_id="r1")
    assert status(capsys) == {
        "version": 1,
        "quarters_waiting": 1,
        "oldest_waiting": "2026-11-03T10:00:00Z",
        "rolled_at": None,
        "raw_rows_from": None,
        "usage_cells": empty,
        "label_cells": empty,
    }
    roll(lambda _line: None)
    settle(datetime(2026, 12, 1, tzinfo=UTC))
    found = status(capsys)
    assert (found["quarters_waiting"], found["oldest_waiting"]) == (0, None)
    assert found["rolled_at"] is not None
    assert found["raw_rows_from"] == "2026-12-01T00:00:00Z"
    assert found["usage_cells"] == found["label_cells"] == {"15": 1, "60": 1, "1440": 1}
    reporting("status", "--format", "table")
    assert "1 of 15 minutes, 1 of 60 minutes, 1 of 1440 minutes" in capsys.readouterr().out
