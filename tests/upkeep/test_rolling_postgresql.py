"""Rolling up beside transactions that are open (PostgreSQL): nobody waits, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from iwrouting.audit.keeping import patience
from iwrouting.audit.keeping.tables import TABLES
from iwrouting.conf import points
from iwrouting.migrations._audit_tables import is_postgresql
from iwrouting.models import UsageMark
from iwrouting.reports.usage import reading, rolling
from iwrouting.reports.usage.question import Question
from iwrouting.reports.usage.reading import read
from iwrouting.reports.usage.rolling import Rolled, roll
from tests.audit_tables import rows
from tests.rollup.sums import assert_rolled, assert_views
from tests.upkeep import story
from tests.upkeep.databases import link

pytestmark = pytest.mark.usefixtures("own")
AT = datetime.now(UTC).replace(minute=1, second=0, microsecond=0)


def rolled() -> Rolled:
    return roll(lambda _line: None)


def call() -> None:
    rows.outcome(rows.decision(AT), "ok", calls=1)


@contextmanager
def open_call() -> Iterator[threading.Event]:
    """A call whose transaction, on a connection of its own, is open until the event is set or the block ends."""
    stored, go = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                call()
                stored.set()
                assert go.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert stored.wait(20)
    try:
        yield go
    finally:
        go.set()
        thread.join()


def test_roll__a_writer_holds_the_mark__leaves_it_and_the_next_counts_all(own: str) -> None:
    call()
    with open_call():
        assert UsageMark.objects.count() == 1
        assert rolled() == Rolled()
        assert UsageMark.objects.count() == 1
        assert_views()
    assert_views()
    assert rolled() == Rolled(quarters=1)
    assert_rolled()


def test_roll__a_writer_has_a_mark_of_its_own__takes_the_other_and_leaves_that(own: str) -> None:
    with open_call():
        call()
        assert rolled() == Rolled(quarters=1)
        assert_views()
    assert UsageMark.objects.count() == 1
    assert_views()
    assert rolled() == Rolled(quarters=1)
    assert_rolled()


def test_write__the_mark_is_just_being_taken__does_not_wait_and_marks_anew(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call()

    def write_beside(point: str) -> None:
        points.hit(point)
        if point == "usage.before_commit":
            thread = threading.Thread(target=_alone)
            thread.start()
            thread.join(20)
            assert not thread.is_alive()

    monkeypatch.setattr(rolling, "hit", write_beside)
    assert rolled() == Rolled(quarters=1)
    assert UsageMark.objects.count() == 1
    assert_views()
    monkeypatch.undo()
    assert rolled() == Rolled(quarters=1)
    assert_rolled()


def _alone() -> None:
    try:
        call()
    finally:
        connection.close()


def test_roll__another_rolls_up__a_worker_passes(own: str) -> None:
    call()
    with link(own, autocommit=False) as other:
        other.execute(b"INSERT INTO iwrouting_usagestate (id) VALUES (1) ON CONFLICT DO NOTHING")
        other.commit()
        other.execute(b"SELECT FROM iwrouting_usagestate FOR UPDATE")
        assert roll(lambda _line: None, is_patient=False) == Rolled(is_ours=False)
    assert rolled() == Rolled(quarters=1)


def test_read__retention_comes_between_its_statements__is_put_off_and_nothing_is_missing(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = story.month(-20)
    for table in TABLES:
        story.run("SELECT iw_audit_make_partition(%s, %s)", table, old)
    story.calls(old, 3)
    asked = Question(datetime(old.year, old.month, 1, tzinfo=UTC), datetime.now(UTC))
    told, segments = [], reading._segments

    def remove_beside(*given: Any) -> Any:
        found = segments(*given)
        thread = threading.Thread(target=lambda: told.append(_removed()))
        thread.start()
        thread.join(20)
        return found

    monkeypatch.setattr(patience, "TRIES", 1)
    monkeypatch.setattr(reading, "_segments", remove_beside)
    assert read(asked).totals["calls"] == 3
    assert [type(each) for each in told] == [patience.Busy]
    monkeypatch.undo()
    story.remove()
    assert story.counts() == story.each(0)
    assert read(asked).totals["calls"] == 3


def test_upgrade__a_call_comes_between_the_marks_and_the_triggers__counts(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("migrate", "iwrouting", "0007_config_history", verbosity=0)
    story.calls(story.month(-1), 1)

    def call_beside(editor: Any) -> bool:
        thread = threading.Thread(target=_alone)
        thread.start()
        thread.join(20)
        return is_postgresql(editor)

    monkeypatch.setattr("iwrouting.migrations._usage_marks.is_postgresql", call_beside)
    call_command("migrate", verbosity=0)
    assert UsageMark.objects.count() == 2
    assert_views()


def _removed() -> Exception | None:
    try:
        story.remove()
    except patience.Busy as error:
        return error
    finally:
        connection.close()
    return None
