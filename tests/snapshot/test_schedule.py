"""What was scheduled and took effect stands in the change list at its moment, and nothing that did not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from iwrouting.models import Alias, ApiKey, Change, Override, Price, Project, change
from iwrouting.server.lines import LineWriter
from iwrouting.snapshot import SnapshotStore
from iwrouting.snapshot.schedule import took_effect
from iwrouting.types import Via

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LONG_AFTER = START + timedelta(minutes=1000)
Line = tuple[str, str, datetime]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def made(minutes: float, change_it: Callable[[], object]) -> None:
    """A change by ann, so many minutes after START."""
    with patch.object(timezone, "now", lambda: at(minutes)), change(author="ann", via=Via.CLI, reason="As was agreed"):
        change_it()


@pytest.fixture(autouse=True)
def early(rows: None) -> None:
    """The rows that every test here has are of a past that nobody looks at; times of changes never go back."""
    Override.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_revision SET changed_at = %s", [START - timedelta(days=1)])


def override(**fields: Any) -> Override:
    given = {"alias": Alias.objects.get(), "project": Project.objects.get(), "model": "gpt-4.1", **fields}
    row = Override(**given)
    made(0, row.save)
    return row


def told(since: datetime = START, until: datetime = LONG_AFTER) -> list[Line]:
    return [(line.details["object_type"], line.details["what"], line.at) for line in took_effect(since, until)]


def test_an_override__starts_and_expires_at_its_moments() -> None:
    row = override(starts_at=at(10), expires_at=at(20))
    assert told(until=at(9.9)) == []
    assert told() == [("override", "starts", at(10)), ("override", "expires", at(20))]
    assert told(since=at(10)) == [("override", "expires", at(20))]
    [first, _] = took_effect(START, LONG_AFTER)
    assert first.event == f"override:{row.pk}:starts:2026-11-23T04:10:00Z"
    assert first.reason.startswith("override blueprint for atlas -> gpt-4.1 starts, as was set with revision ")
    assert first.reason.endswith(", by ann")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"starts_at": at(-10)},
        {"starts_at": at(0)},
        {"expires_at": at(-1)},
        {"starts_at": at(10), "enabled": False},
        {"starts_at": at(2000)},
    ],
    ids=["no times", "past", "with the change", "dead", "disabled", "yet to come"],
)
def test_what_takes_effect_with_its_change_or_never__is_not_told(fields: dict[str, Any]) -> None:
    override(**fields)
    assert told() == []


def changed(row: Override, minutes: float, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    made(minutes, row.save)


def test_changed_before_its_moment__only_what_held_then_is_told() -> None:
    moved = override(starts_at=at(10))
    changed(moved, 5, starts_at=at(30))
    assert told() == [("override", "starts", at(30))]
    changed(moved, 20, enabled=False)
    assert told() == []
    changed(moved, 40, enabled=True)
    assert told() == [], "it came with the change"


def test_changed_or_deleted_after_its_moment__is_told_as_it_was() -> None:
    row = override(starts_at=at(10), expires_at=at(60))
    changed(row, 15, starts_at=None, model="gpt-4.1-nano", expires_at=at(50))
    made(55, row.delete)
    assert told() == [("override", "starts", at(10)), ("override", "expires", at(50))]


def test_deleted_before__is_not_told() -> None:
    row = override(starts_at=at(10))
    made(5, row.delete)
    assert told() == []
    made(6, Override(alias=Alias.objects.get(), project=None, model="gpt-4.1", starts_at=at(9)).save)
    assert told() == [("override", "starts", at(9))]


def test_prices_and_keys__begin_and_end() -> None:
    price = Price(model_id="gpt-4.1", valid_from=at(10), input_pico=2)
    made(0, price.save)
    key = ApiKey.objects.get()
    key.expires_at = at(20)
    made(1, key.save)
    assert told() == [("price", "starts", at(10)), ("key", "expires", at(20))]
    key.revoked_at = at(15)
    made(15, key.save)
    assert told() == [("price", "starts", at(10))]


def test_the_window_of_a_running_worker__finds_what_all_of_history_holds() -> None:
    rows = [override(starts_at=at(10), expires_at=at(90))]
    changed(rows[0], 70, expires_at=at(120))
    changed(rows[0], 110, expires_at=at(300))
    made(111, Price(model_id="gpt-4.1", valid_from=at(115), input_pico=2).save)
    whole = took_effect(None, LONG_AFTER)
    for start in range(0, 400, 23):
        window = took_effect(at(start), at(start + 30))
        assert window == [line for line in whole if at(start) < line.at <= at(start + 30)], start


def test_changed_by_sql_meanwhile__history_counts() -> None:
    row = override(starts_at=at(10))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_override SET starts_at = NULL WHERE id = %s", [row.pk])
    assert told() == [("override", "starts", at(10))]


@pytest.fixture
def writer() -> LineWriter:
    return LineWriter(SnapshotStore())


def stored() -> list[tuple[str, datetime, str]]:
    rows = Change.objects.filter(kind="schedule").order_by("at")
    return [(json.loads(row.details)["what"], row.at, row.via) for row in rows]


def test_workers__write_each_once_with_its_own_moment_however_late(writer: LineWriter) -> None:
    override(starts_at=at(10), expires_at=at(20))
    for _ in range(2):
        writer.schedule()
    LineWriter(SnapshotStore()).schedule()
    assert stored() == [("starts", at(10), "service"), ("expires", at(20), "service")]


def test_a_worker_that_looked_before__looks_an_hour_back_alone(
    writer: LineWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []

    def spy(since: datetime | None, until: datetime) -> list[Any]:
        asked.append(since)
        return took_effect(since, until)

    monkeypatch.setattr("iwrouting.server.lines.took_effect", spy)
    writer.schedule()
    writer.schedule()
    assert asked[0] is None
    assert asked[1] is not None
    assert timedelta(minutes=59) < datetime.now(UTC) - asked[1] < timedelta(minutes=61)
