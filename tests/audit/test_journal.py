"""The journal's files, whatever befalls them: torn, damaged, full, removed, of another release, of two processes."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import orjson
import pytest

from iwrouting.audit import DECISION, Place, Settle
from iwrouting.audit.journal import journal as journals
from iwrouting.audit.journal.journal import Journal, folder_id, left_segments
from iwrouting.audit.journal.records import UNKNOWN_COLUMNS, decode, encode
from iwrouting.audit.journal.replay import Replayed, read_portion, replay_left
from iwrouting.audit.journal.segments import HEAD, MAGIC, JournalFault, Segment
from iwrouting.audit.rows import QUARANTINE
from iwrouting.audit.writing.quarantine import JOURNAL_DAMAGED
from iwrouting.audit.writing.units import Unit
from iwrouting.conf import points
from tests.audit.memory import MemoryStore, attempt, decision, outcome

WRITER = "0190d5e2-7b3c-7cc0-8f5e-0123456789ab"
FORM_1 = Path(__file__).parent / "journals" / f"{WRITER}.1.journal"


@pytest.fixture(autouse=True)
def no_points() -> Iterator[None]:
    yield
    points.arm({})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(Place(tmp_path, 100_000), WRITER)
    made.open()
    yield made
    made.close()


def record(text: str) -> bytes:
    return encode([Unit([decision(text)])])


def left(folder: Path) -> Path:
    [path] = left_segments(folder)[WRITER]
    return path


def replay(path: Path) -> tuple[Replayed, MemoryStore]:
    """What the adoption of a file does with it."""
    store = MemoryStore()
    segment = Segment.take(path)
    assert segment is not None
    return asyncio.run(replay_left(store, segment)), store


def aliases(store: MemoryStore) -> list[str]:
    return [row["alias"] for row in store.of(DECISION)]


def places(path: Path) -> list[int]:
    """Where the records of a file begin."""
    segment = Segment.take(path)
    assert segment is not None
    found = [segment.start]
    found += [each.next for each in segment.records(segment.start)]  # type: ignore[union-attr] # the file is sound
    segment.close()
    return found[:-1]


def test_units__come_back_as_they_went() -> None:
    made = decision("märchen")
    unit = Unit([made, attempt(made), outcome(made)], claim=Settle(("atlas", "run"), made[1]["id"], 7))
    [found] = decode(encode([unit]))
    assert (list(found.rows), found.claim, found.again) == (list(unit.rows), unit.claim, True)


def test_journal__is_for_its_owner_alone_and_gone_when_it_is_empty(tmp_path: Path) -> None:
    made = Journal(Place(tmp_path / "deep" / "er", 1_000), WRITER)
    made.open()
    path = left(tmp_path / "deep" / "er")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    made.close()
    assert left_segments(tmp_path / "deep" / "er") == {}


def test_folder__has_one_name_for_all_who_share_it(tmp_path: Path) -> None:
    assert folder_id(tmp_path) == folder_id(tmp_path)
    assert folder_id(tmp_path) != folder_id(tmp_path / "other")


def test_folder__whose_name_a_loss_of_power_left_empty__gets_one(tmp_path: Path) -> None:
    (tmp_path / "id").touch()
    name = folder_id(tmp_path)
    assert len(name) == 36
    assert folder_id(tmp_path) == name
    assert [path.name for path in tmp_path.iterdir()] == ["id"]


def test_torn_tail__is_dropped_wherever_it_is_cut(
    tmp_path: Path, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append(record("first"))
    kept = journal.pending_bytes
    journal.append(record("second"))
    journal.close()
    path = left(tmp_path)
    whole = path.read_bytes()
    start = places(path)[0]
    for cut in (start + kept + 1, start + kept + HEAD.size - 1, start + kept + HEAD.size + 5, len(whole) - 1):
        path.write_bytes(whole[:cut])
        replayed, store = replay(path)
        assert (replayed.damages, aliases(store)) == (0, ["first"])
        assert "never acknowledged" in caplog.text
        caplog.clear()


@pytest.mark.parametrize("offset", [0, 5, 9, 40])
def test_damaged_record__is_passed_over_kept_and_told_of(tmp_path: Path, journal: Journal, offset: int) -> None:
    for text in ("first", "second", "third"):
        journal.append(record(text))
    journal.close()
    path = left(tmp_path)
    begins = places(path)
    content = bytearray(path.read_bytes())
    content[begins[1] + offset] ^= 0x55
    path.write_bytes(content)
    replayed, store = replay(path)
    assert (replayed.damages, aliases(store)) == (1, ["first", "third"])
    [told] = store.of(QUARANTINE)
    assert (told["reason"], told["writer_id"], told["table_name"]) == (JOURNAL_DAMAGED, WRITER, "journal")
    damaged = path.with_name(f"{path.name}.damaged")
    assert damaged.read_bytes() == bytes(content[begins[1] : begins[2]])
    assert damaged.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_whole_record_that_is_none_of_ours__is_kept_and_told_of(tmp_path: Path, journal: Journal) -> None:
    for payload in (
        b'{"units": 7}',
        b"not json",
        b'{"units": [{"rows": [["nowhere"]], "settle": null}]}',
        record("last"),
    ):
        journal.append(payload)
    journal.close()
    replayed, store = replay(left(tmp_path))
    assert (replayed.damages, aliases(store), len(store.of(QUARANTINE))) == (3, ["last"], 3)


def test_row_of_a_newer_release__goes_to_quarantine_with_all_its_columns(tmp_path: Path, journal: Journal) -> None:
    newer = {**decision("newer")[1], "writer_id": WRITER, "writer_seq": 1, "invented_later": "x"}
    journal.append(orjson.dumps({"units": [{"rows": [[DECISION, newer]], "settle": None}]}))
    journal.close()
    _, store = replay(left(tmp_path))
    [found] = store.of(QUARANTINE)
    assert (found["reason"], found["writer_seq"], found["decision_id"]) == (UNKNOWN_COLUMNS, 1, newer["id"])
    assert orjson.loads(found["row"])["invented_later"] == "x"


def test_row_of_an_older_release__gets_the_defaults_of_later_columns(tmp_path: Path, journal: Journal) -> None:
    older = {name: value for name, value in decision("older")[1].items() if name not in ("warnings", "estimate_tokens")}
    journal.append(orjson.dumps({"units": [{"rows": [[DECISION, older]], "settle": None}]}))
    journal.close()
    _, store = replay(left(tmp_path))
    [found] = store.of(DECISION)
    assert (found["warnings"], found["estimate_tokens"]) == ("[]", None)


def test_file_of_form_1__is_replayed_by_every_later_release(tmp_path: Path) -> None:
    path = tmp_path / FORM_1.name
    shutil.copy(FORM_1, path)
    replayed, store = replay(path)
    assert (replayed.rows, replayed.quarantined, replayed.damages) == (3, 0, 0)
    assert [table.removeprefix("iwrouting_") for table, _ in store.rows.values()] == ["decision", "attempt", "outcome"]
    assert [row["writer_seq"] for _, row in store.rows.values()] == [1, 2, 3]


def test_file_of_a_newer_form__is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / f"{WRITER}.1.journal"
    content = MAGIC + b'{"version":2}\nwhatever it holds'
    path.write_bytes(content)
    with pytest.raises(JournalFault, match="newer release"):
        Segment.take(path)
    assert path.read_bytes() == content


def test_file_in_use__is_not_taken_and_one_that_was_left_is(tmp_path: Path, journal: Journal) -> None:
    journal.append(record("first"))
    assert Segment.take(left(tmp_path)) is None
    journal.close()
    taken = Segment.take(left(tmp_path))
    assert taken is not None
    assert Segment.take(left(tmp_path)) is None
    taken.close()


def test_write_that_fails__leaves_no_trace_and_the_file_in_use(tmp_path: Path, journal: Journal) -> None:
    journal.append(record("first"))
    for point in ("journal.before_write", "journal.before_fsync"):
        points.arm(points.read_plan(f"{point}=raise"))
        with pytest.raises(JournalFault):
            journal.append(record("lost"))
    points.arm({})
    journal.append(record("second"))
    assert len(left_segments(tmp_path)[WRITER]) == 1
    journal.close()
    assert aliases(replay(left(tmp_path))[1]) == ["first", "second"]


def test_fsync_that_fails__ends_the_use_of_the_file(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(record("first"))

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(JournalFault, match="Input/output error"):
        journal.append(record("lost"))
    monkeypatch.undo()
    journal.append(record("second"))
    assert len(left_segments(tmp_path)[WRITER]) == 2
    journal.close()
    assert [aliases(replay(path)[1]) for path in left_segments(tmp_path)[WRITER]] == [["first"], ["second"]]


def test_removed_file__is_noticed_before_a_record_goes_into_it(tmp_path: Path, journal: Journal) -> None:
    shutil.rmtree(tmp_path)
    journal.append(record("first"))
    journal.close()
    assert aliases(replay(left(tmp_path))[1]) == ["first"]


@pytest.mark.parametrize("size", [0, 200])
def test_file_that_somebody_emptied__takes_no_more_and_holds_up_nothing(
    tmp_path: Path, journal: Journal, size: int
) -> None:
    journal.append(record("first"))
    os.truncate(left(tmp_path), size)
    journal.append(record("second"))
    found = []
    while segment := journal.oldest():
        found += read_portion(segment, segment.start).units
        journal.forget(segment)
    assert [row["alias"] for unit in found for _, row in unit.rows] == ["second"]


def test_long_journal__goes_on_in_new_files_up_to_its_limit(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "ROLL_BYTES", 3_000)
    size = len(record("x")) + HEAD.size
    for _ in range(100_000 // size):
        journal.append(record("x"))
    with pytest.raises(JournalFault, match="IW_JOURNAL_MAX_MB"):
        journal.append(record("x"))
    files = left_segments(tmp_path)[WRITER]
    assert [path.name.split(".")[1] for path in files] == [str(number) for number in range(1, len(files) + 1)]
    assert len(files) > 10
    journal.close()


def test_new_file__waits_for_one_who_looks_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"{WRITER}.1.journal"
    opened = os.open
    timers: list[Timer] = []

    def open_and_look(name: Path, flags: int, mode: int = 0o777) -> int:
        handle = opened(name, flags, mode)
        if flags & os.O_CREAT:
            other = opened(name, os.O_RDWR)
            fcntl.flock(other, fcntl.LOCK_EX)
            timers.append(Timer(0.05, os.close, [other]))
            timers[0].start()
        return handle

    monkeypatch.setattr("iwrouting.audit.journal.segments.os.open", open_and_look)
    segment = Segment.create(path, writer_id="w")
    timers[0].join()
    segment.append(b"{}")
    assert Segment.take(path) is None
