"""What the sweeper closes, and what it leaves alone."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from iwrouting.audit import Claim, Rows, Settle
from iwrouting.audit.journal.journal import folder_id
from iwrouting.audit.sweeping.orphans import closing_rows, longest_call, open_decisions
from iwrouting.audit.sweeping.sweeper import Contact, Sweeper, Watch
from iwrouting.audit.writing.storing import StoreDown
from iwrouting.conf import Settings, settings
from iwrouting.errors import AuditUnavailable
from iwrouting.models import Alias, Decision, Outcome, Run, RunReservation, Writer
from tests.audit_tables.rows import attempt, decision, outcome, uuid7

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
OWN = "00000000-0000-7000-8000-00000000000a"
DEAD = "00000000-0000-7000-8000-0000000000dd"
OTHER = "00000000-0000-7000-8000-0000000000ee"


@dataclass
class FakeDesk:
    """A writer that stores at once."""

    id: str = OWN
    ready: bool = True
    claims: list[Claim] = field(default_factory=list)

    def store(self, units: Sequence[tuple[Rows, Claim | None]]) -> None:
        for rows, claim in units:
            for _, row in rows:
                number = Outcome.objects.filter(writer_id=self.id).count() + 1
                Outcome.objects.create(**row | {"writer_id": self.id, "writer_seq": number})
            if claim is not None:
                self.claims.append(claim)


@dataclass
class Case:
    """A sweeper that has been in touch with the database for long enough, in a folder of its own."""

    folder: Path
    conf: Settings
    desk: FakeDesk
    sweeper: Sweeper

    def writer(self, ident: str = DEAD, *, silent_s: float = 60, **values: Any) -> Writer:
        at = datetime.now(UTC) - timedelta(seconds=silent_s)
        named = {"host": "h", "pid": 1, "journal_id": folder_id(self.folder), "key_id": "k", "mode": "database"}
        return Writer.objects.create(**named | {"id": ident, "started_at": at, "heartbeat_at": at} | values)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    conf = settings().model_copy(update={"journal_dir": tmp_path, "writer_dead_s": 45.0})
    monkeypatch.setattr("iwrouting.audit.locks.settings", lambda: conf)
    desk = FakeDesk()
    sweeper = Sweeper(conf, desk, cast(Any, object))
    monkeypatch.setattr(sweeper.contact, "made", lambda: 45.0)
    monkeypatch.setattr(sweeper.watch, "silent_s", lambda writer: 45.0)
    return Case(tmp_path, conf, desk, sweeper)


def of_dead(seq: int, seconds: float = 90, **values: Any) -> Decision:
    return decision(NOW - timedelta(seconds=seconds), writer_id=DEAD, writer_seq=seq, **values)


def test_decision_of_a_dead_writer__is_closed_as_interrupted_by_our_own(case: Case) -> None:
    case.writer()
    left, ended = of_dead(1), of_dead(2)
    outcome(ended, "ok")
    attempt(left, 1, 0, sent_at=NOW)
    attempt(left, 2, 1, kind="skip")
    swept = case.sweeper.sweep()
    assert (swept.writers, swept.closed) == (1, 1)
    row = Outcome.objects.get(decision=left)
    assert (row.origin, row.result, row.writer_id, row.calls) == ("sweeper", "interrupted", OWN, 1)
    assert (row.cost_state, row.cost_pico, row.prompt_tokens, row.tokens_source) == ("unpriced", None, None, "")
    assert (row.status, row.model_served, row.latency_us) == (None, "", None)
    assert list(Outcome.objects.filter(decision=ended).values_list("origin", flat=True)) == ["server"]
    assert Writer.objects.get(id=DEAD).swept_at is not None
    assert case.sweeper.sweep().writers == 0, "once"


def test_look_at_a_stored_response__left_open__costs_nothing(case: Case) -> None:
    case.writer()
    left = of_dead(1, endpoint="responses.get")
    case.sweeper.sweep()
    assert Outcome.objects.get(decision=left).cost_state == "none"


def test_writer_that_beats__keeps_its_open_decisions(case: Case) -> None:
    case.writer(silent_s=30)
    of_dead(1)
    assert case.sweeper.sweep().writers == 0
    assert not Outcome.objects.exists()


def test_own_decisions__are_never_touched(case: Case) -> None:
    case.writer(OWN, silent_s=3600)
    decision(NOW, writer_id=OWN, writer_seq=1)
    assert case.sweeper.sweep().writers == 0


def test_writer_that_ended__is_swept_without_watching_the_database_first(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case.sweeper.contact, "made", lambda: 0.0)
    monkeypatch.setattr(case.sweeper.watch, "silent_s", lambda writer: 0.0)
    case.writer(silent_s=1, ended_at=NOW)
    case.writer(OTHER)
    of_dead(1, seconds=2)
    swept = case.sweeper.sweep()
    assert (swept.writers, swept.closed, swept.waits) == (1, 1, True)


@pytest.mark.parametrize(("silent_s", "closed"), [(590, 0), (610, 1)])
def test_writer_of_another_folder__is_waited_for_ten_minutes(case: Case, silent_s: float, closed: int) -> None:
    case.writer(silent_s=silent_s, journal_id="another")
    of_dead(1, seconds=700)
    assert case.sweeper.sweep().closed == closed


def test_writer_that_came_back_after_it_was_swept__is_swept_again_when_it_dies(case: Case) -> None:
    case.writer(silent_s=100, swept_at=NOW - timedelta(seconds=200))
    of_dead(1)
    assert case.sweeper.sweep().closed == 1


def test_database_that_was_away__makes_nobody_look_dead(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case.sweeper.contact, "made", lambda: 44.9)
    case.writer()
    of_dead(1)
    swept = case.sweeper.sweep()
    assert (swept.closed, swept.waits) == (0, True)


def test_clock_that_steps__makes_nobody_look_dead(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("iwrouting.audit.sweeping.sweeper.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(case.sweeper, "watch", Watch())
    writer = case.writer(silent_s=3600)
    of_dead(1)
    case.sweeper.sweep()
    clock[0] += 20
    Writer.objects.filter(id=writer.id).update(heartbeat_at=NOW - timedelta(seconds=3595))
    swept = case.sweeper.sweep()
    assert (swept.closed, swept.waits) == (0, True), "it was alive a moment ago"
    clock[0] += 20
    assert case.sweeper.sweep().closed == 0
    clock[0] += 3
    assert case.sweeper.sweep().closed == 1


def test_writer_without_a_journal__is_not_waited_for_longer(case: Case) -> None:
    case.writer(journal_id="")
    of_dead(1)
    assert case.sweeper.sweep().closed == 1


def test_own_writer_that_can_not_store__closes_nothing(case: Case) -> None:
    case.writer()
    of_dead(1)
    case.desk.ready = False
    assert case.sweeper.sweep().closed == 0
    assert Writer.objects.get(id=DEAD).swept_at is None


def test_outcome_that_can_not_be_stored__is_a_fault_of_the_database_and_comes_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.writer()
    of_dead(1)

    def refuse(_: Any) -> None:
        raise AuditUnavailable("not now")

    with monkeypatch.context() as away:
        away.setattr(case.desk, "store", refuse)
        with pytest.raises(OperationalError, match="not now"):
            case.sweeper.sweep()
    assert case.sweeper.sweep().closed == 1


def test_writer_that_beats_while_it_is_swept__is_left_alone(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.writer()
    of_dead(1)

    def wake(_: Any) -> Any:
        Writer.objects.filter(id=DEAD).update(heartbeat_at=NOW)
        return longest_call(case.conf)

    monkeypatch.setattr("iwrouting.audit.sweeping.sweeper.longest_call", wake)
    assert case.sweeper.sweep().closed == 0
    assert not Outcome.objects.exists()
    assert Writer.objects.get(id=DEAD).swept_at is None


def test_reservation__is_settled_whole(case: Case) -> None:
    case.writer()
    left = of_dead(1)
    run = Run.objects.create(project="atlas", run_id="r1", first_seen_at=NOW, last_seen_at=NOW)
    RunReservation.objects.create(decision_id=left.id, run=run, tokens=777, expires_at=NOW)
    case.sweeper.sweep()
    assert case.desk.claims == [Settle(("atlas", "r1"), str(left.id), 777)]


def test_locked_journal_that_holds_records__is_waited_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.writer()
    of_dead(1)
    monkeypatch.setattr("iwrouting.audit.sweeping.adoption.Segment.take", lambda _: None)
    path = case.folder / f"{DEAD}.1.journal"
    path.write_bytes(b'IWJRNL1\n{"version":1}\nrecords')
    assert case.sweeper.sweep().closed == 0
    path.write_bytes(b'IWJRNL1\n{"version":1}\n')
    assert case.sweeper.sweep().closed == 1


def test_journal_that_can_not_be_replayed_now__holds_up_no_other_writer(
    case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case.writer()
    case.writer(OTHER)
    of_dead(1)
    other = decision(NOW, writer_id=OTHER, writer_seq=1)
    (case.folder / f"{DEAD}.1.journal").write_bytes(b'IWJRNL1\n{"version":1}\nrecords')

    async def refuse(*_: Any) -> Any:
        raise StoreDown("the quarantine is full")

    monkeypatch.setattr("iwrouting.audit.sweeping.adoption._replay", refuse)
    assert [case.sweeper.sweep().closed for _ in range(2)] == [1, 0]
    assert list(Outcome.objects.values_list("decision", flat=True)) == [other.id]
    assert sum("the quarantine is full" in record.message for record in caplog.records) == 1


def test_journal_that_can_not_be_read__is_said_once_and_waited_for_ten_minutes(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    writer = case.writer()
    of_dead(1, seconds=700)
    (case.folder / f"{DEAD}.1.journal").write_bytes(b'IWJRNL1\n{"version":99}\n')
    assert [case.sweeper.sweep().closed for _ in range(2)] == [0, 0]
    assert sum("written by a newer release" in record.message for record in caplog.records) == 1
    Writer.objects.filter(id=writer.id).update(heartbeat_at=NOW - timedelta(minutes=11))
    assert case.sweeper.sweep().closed == 1


@pytest.mark.parametrize("start", [b"", b"IWJR", b"IWJRNL1\n", b'IWJRNL1\n{"version"'])
def test_journal_without_a_whole_header__is_removed_once_it_is_old(case: Case, start: bytes) -> None:
    case.writer()
    path = case.folder / f"{DEAD}.1.journal"
    path.write_bytes(start)
    case.sweeper.sweep()
    assert path.exists(), "it may be in the making"
    os.utime(path, (0, 0))
    of_dead(1)
    assert case.sweeper.sweep().closed == 1
    assert not path.exists()


def test_open_decisions__are_looked_for_as_far_back_as_a_call_can_last(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iwrouting.audit.sweeping.orphans.PAGE", 2)
    longest = timedelta(hours=2)
    old, first, *rest = [of_dead(seq, seconds) for seq, seconds in enumerate((9000, 7000, 30, 20, 10), 1)]
    assert [each.id for page in open_decisions(DEAD, longest) for each in page] == [
        *(row.id for row in reversed(rest)),
        first.id,
        old.id,
    ], "the last page is read whole"
    monkeypatch.setattr("iwrouting.audit.sweeping.orphans.PAGE", 1)
    found = [each.id for page in open_decisions(DEAD, timedelta(hours=1)) for each in page]
    assert first.id in found
    assert old.id not in found


def test_open_decisions__are_looked_for_beyond_usage_that_was_told_later(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iwrouting.audit.sweeping.orphans.PAGE", 2)
    first = of_dead(1, 40)
    for seq, seconds in ((2, 30_000), (3, 20)):
        outcome(of_dead(seq, seconds), "ok")
    assert first.id in [each.id for page in open_decisions(DEAD, timedelta(hours=1)) for each in page]


def test_longest_call__is_that_of_the_most_patient_alias(case: Case) -> None:
    conf = case.conf
    usual = longest_call(conf)
    Alias.objects.create(name="patient", kind="role", default_model="gpt-4.1", deadline_s=7200)
    assert longest_call(conf) - usual == timedelta(seconds=7200 - conf.deadline_s)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has neither plans like these nor partitions")
def test_look_for_open_decisions__scans_no_table_and_no_other_month(case: Case) -> None:
    began = uuid7(NOW)
    decision(NOW, writer_id=str(began), writer_seq=1)
    with CaptureQueriesContext(connection) as seen:
        pages = list(open_decisions(str(began), timedelta(hours=1)))
        assert len(closing_rows([each for page in pages for each in page])) == 1
    plans = [plan_of(query["sql"]) for query in seen.captured_queries]
    assert len(plans) == 5, "the newest, two pages, attempts, reservations"
    nearby = {f"y{at.year}m{at.month:02}" for at in (NOW - timedelta(hours=2), NOW, NOW + timedelta(days=1))}
    for plan in plans:
        assert "Seq Scan" not in plan
        assert set(re.findall(r" on iwrouting_\w+_(y\d{4}m\d\d)", plan)) <= nearby


def plan_of(query: str) -> str:
    """How PostgreSQL would run it on tables that are large."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_contact__lasts_while_no_gap_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 105.0, 110.0, 140.0, 145.0, 150.0, 155.0])
    monkeypatch.setattr("iwrouting.audit.sweeping.sweeper.time.monotonic", lambda: next(clock))
    contact = Contact(20.0)
    assert [contact.made() for _ in range(3)] == [0, 5, 10]
    assert [contact.made() for _ in range(2)] == [0, 5], "we were stopped, or the database was away"
    contact.lost()
    assert [contact.made() for _ in range(2)] == [0, 5]
