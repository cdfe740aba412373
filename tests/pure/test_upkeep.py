"""The thread that runs a worker's jobs: it outlives what they raise, and ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from iwrouting.server.upkeep import STOP_S, Job, Upkeep

PATIENCE_S = 5.0


@contextmanager
def running(*jobs: Job) -> Iterator[Upkeep]:
    upkeep = Upkeep(jobs)
    upkeep.start()
    try:
        yield upkeep
    finally:
        upkeep.stop()


def test_job__again_and_again_in_one_thread_of_its_own__whatever_another_raises(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[int] = []
    enough = threading.Event()

    def fail() -> None:
        seen.append(threading.get_ident())
        raise RuntimeError("no such luck")

    def note() -> None:
        seen.append(threading.get_ident())
        if len(seen) > 6:
            enough.set()

    with running(Job("fails", 0.01, fail, alone=False), Job("works", 0.01, note, alone=False)) as upkeep:
        assert enough.wait(PATIENCE_S)
        assert upkeep.faults == {"fails": "RuntimeError: no such luck"}
    assert set(seen) == {seen[0]} != {threading.get_ident()}
    told = [record.message for record in caplog.records if "fails" in record.message]
    assert told == ["upkeep 'fails' failed: RuntimeError: no such luck; it is tried again"], "once, not each time"


def test_fault__that_is_over__is_not_told_any_more() -> None:
    outcomes = iter([True, False])
    healed = threading.Event()

    def mend() -> None:
        if next(outcomes, False):
            raise OSError("not yet")
        healed.set()

    with running(Job("mends", 0.01, mend, alone=False)) as upkeep:
        assert healed.wait(PATIENCE_S)
    assert upkeep.faults == {}


def test_stop__while_a_job_does_not_end__waits_no_longer_than_it_says_and_begins_no_other() -> None:
    begun, release, later = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(PATIENCE_S)

    upkeep = Upkeep([Job("hangs", 0.01, hang, alone=False), Job("next", 0.02, later.set, alone=False)])
    upkeep.start()
    assert begun.wait(PATIENCE_S)
    stopper = threading.Thread(target=upkeep.stop)
    stopper.start()
    stopper.join(STOP_S + PATIENCE_S)
    assert not stopper.is_alive()
    ran = later.is_set()
    release.set()
    upkeep.stop()
    assert later.is_set() == ran


def test_stop__before_it_was_started__is_nothing() -> None:
    Upkeep([]).stop()
