"""The rows D and P of the matrix that other tests prove, and what no test does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.storm.outage import Result, Row

TESTS = Path(__file__).resolve().parents[2]
WANTED = {*(f"D{number}" for number in range(1, 16)), *(f"P{number}" for number in range(1, 9))}
GAP = "no test"


@dataclass(frozen=True)
class Proof:
    """A row, what holds, and the test of it: a file and a function; GAP where there is none."""

    id: str
    title: str
    holds: str
    test: str


PROOFS = (
    Proof("D1", "never a database, no snapshot on disk", "503 and `Retry-After`, never 401; back by itself",
          "live/test_no_database.py::test_no_database_at_start__answers_503_and_recovers_by_itself"),
    Proof("D8", "a backup restored with its journals", "what the journals held is stored by id",
          "live/test_backup.py::test_backup_under_load__comes_back_whole_elsewhere"),
    Proof("D8", "rows gone that were confirmed", "`audit_verify` names the gap, writer and numbers",
          "tamper/test_attacks.py::test_verify__a_whole_call_removed__names_its_numbers"),
    Proof("D11", "no partition for the month", "the default partition takes the rows, `partitions list` tells",
          "upkeep/test_partitions_postgresql.py::test_list__default_holds_rows__is_a_finding"),
    Proof("D13", "a chain made circular by SQL", "the former configuration serves, `/readyz` says why",
          "live/test_changes.py::test_broken_configuration__is_not_taken_and_the_former_one_serves"),
    Proof("D14", "the clock steps back", "ids rise all the same; durations come from the monotonic clock",
          "pure/test_ids.py::test_ids__clock_that_stands_or_steps_back__rise_all_the_same"),
    Proof("D15", "a pooler in transaction mode", "untested, the tests have none: give the service a direct connection",
          GAP),
    Proof("P1", "raise, delay and kill at every named point", "nothing missing, double or open after the restart",
          "faults/test_points.py::test_every_point_of_a_worker__raising_and_delaying_and_killing__loses_nothing"),
    Proof("P1", "the same in the commands of upkeep", "the next run ends what was begun",
          "faults/test_points.py::"
          "test_every_point_of_a_command__raising_and_delaying_and_killing__leaves_it_to_the_next_run"),
    Proof("P2", "SIGTERM with open streams", "drained to the limit, then an error event and a row; exit code 0",
          "live/test_drain.py::test_stream_that_is_cut__ends_with_an_error_event_and_no_terminal_marker"),
    Proof("P3", "`kill -9` of a worker", "its sibling closes its open calls, no others",
          "live/test_crash.py::test_killed_worker__has_its_open_calls_closed_by_its_sibling_and_no_others"),
    Proof("P3", "`kill -9` of the whole service", "nothing open after its restart",
          "live/test_crash.py::test_service_killed_under_load__leaves_nothing_open_after_its_restart"),
    Proof("P4", "SIGSTOP for longer than a writer may be silent", "its own outcomes come beside, nothing counts twice",
          "live/test_crash.py::test_stopped_worker_that_wakes__stores_its_own_outcomes_beside_and_nothing_counts_twice"),
    Proof("P7", "an older release on newer tables", "it writes on",
          "audit/test_stores.py::test_later_release__with_more_columns_lets_an_older_one_write"),
    Proof("P8", "two processes at one job", "the second passes it over",
          "audit/test_locks.py::test_job__that_another_is_at__is_passed_over"),
)  # fmt: skip


def is_there(proof: Proof) -> bool:
    """Whether the test that it names exists."""
    file, _, name = proof.test.partition("::")
    path = TESTS / file
    return path.is_file() and bool(re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE))


def driven_table(rows: Sequence[tuple[Row, Result]]) -> str:
    """What came of the rows that were driven."""
    heads = ("row", "what happens", "calls meanwhile", "calls on a run's budget", "their rows went to")
    return _table(heads, ((row.id, row.title, got.caller, got.budget, got.audit) for row, got in rows),
                  "tests/faults/test_outages.py")  # fmt: skip


def proofs_table() -> str:
    """The rows that other tests prove."""
    cells = (
        (
            each.id,
            each.title,
            each.holds,
            each.test if each.test == GAP else f"`tests/{each.test.replace('::', '`, `')}`",
        )
        for each in PROOFS
    )
    return _table(("row", "what happens", "what holds", "test"), cells, "tests/faults/test_outages.py")


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]], test: str) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows), "", f"Test: `{test}`."])
