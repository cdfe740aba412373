"""The memory that workers share: what is counted there outlives them, and no sum falls, jumps or is torn."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwrouting.meters import Board, Meters, make, names
from iwrouting.meters.board import MOST, SLOT_BYTES, SLOT_WORDS

CHAT_OK = ("chat", "ok")
KEY = (names.DECISIONS.name, *CHAT_OK)


@pytest.fixture
def memory() -> Iterator[int]:
    """Memory for two workers."""
    handle = make(2)
    yield handle
    os.close(handle)


def worker(memory: int, number: int) -> Meters:
    """One that has just been started."""
    return Meters(Board(memory), number, owner=1)


def total(memory: int, *key: str) -> int:
    return Board(memory).read()[key][0]


def test_what_workers_count__is_added_up_by_whoever_reads(memory: int) -> None:
    first, second = worker(memory, 0), worker(memory, 1)
    first.add(names.DECISIONS, CHAT_OK, 3)
    second.add(names.DECISIONS, CHAT_OK)
    second.add(names.ROUTES, ("manager", "default"))
    assert first.board.read()[KEY] == second.board.read()[KEY] == [4]
    assert total(memory, names.ROUTES.name, "manager", "default") == 1


def test_a_worker_that_replaces_another__goes_on_where_that_one_stopped(memory: int) -> None:
    lost = worker(memory, 0)
    lost.add(names.DECISIONS, CHAT_OK, 5)
    lost.observe(names.OVERHEAD, ("chat",), 600)
    lost.move(names.BREAKERS_OPEN, ("openai", "gpt-5.1"), 1)
    del lost
    replaced = worker(memory, 0)
    assert total(memory, *KEY) == 5
    replaced.add(names.DECISIONS, CHAT_OK)
    replaced.observe(names.OVERHEAD, ("chat",), 100)
    assert total(memory, *KEY) == 6
    numbers = Board(memory).read()[(names.OVERHEAD.name, "chat")]
    assert (numbers[:3], numbers[-1]) == ([1, 0, 1], 700)
    assert total(memory, names.BREAKERS_OPEN.name, "openai", "gpt-5.1") == 0


COUNT_FOR_EVER = """
import sys
from iwrouting.meters import mine, names, use
use(int(sys.argv[1]), 0, 1)
meters = mine()
print("counts", flush=True)
while True:
    meters.add(names.DECISIONS, ("chat", "ok"))
"""


def test_what_a_killed_process_had_counted__stays(memory: int) -> None:
    command = [sys.executable, "-c", COUNT_FOR_EVER, str(memory)]
    here = Path(__file__).parents[2]
    with subprocess.Popen(command, pass_fds=(memory,), stdout=subprocess.PIPE, cwd=here) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"counts\n"
        board = Board(memory)
        while (seen := board.read()[KEY][0]) < 1000:
            pass
        process.send_signal(signal.SIGKILL)
    left = total(memory, *KEY)
    assert left >= seen
    worker(memory, 0).add(names.DECISIONS, CHAT_OK)
    assert total(memory, *KEY) == left + 1


def test_a_series_that_is_not_whole__is_not_read_and_is_written_again(memory: int) -> None:
    meters = worker(memory, 0)
    before = set(Board(memory).read())
    meters.add(names.ROUTES, ("manager", "default"))
    words = memoryview(meters._words)
    last = max(at for at, _ in meters._slot.found.values())
    words[last - 4] ^= 1  # a byte of its key, as a reader may see it that came too early
    assert set(Board(memory).read()) == before
    worker(memory, 0).add(names.ROUTES, ("manager", "default"))
    assert total(memory, names.ROUTES.name, "manager", "default") == 1


def test_memory_that_is_full__counts_under_other_and_the_sums_stay_right(memory: int) -> None:
    meters = worker(memory, 0)
    for number in range(30_000):
        meters.add(names.ROUTES, (f"alias-{number}", "default"))
    found = {key[1:]: value for key, [value, *_] in Board(memory).read().items() if key[0] == names.ROUTES.name}
    assert meters._slot.words[0] <= SLOT_WORDS == SLOT_BYTES // 8
    assert sum(found.values()) == 30_000
    assert found[(names.OTHER, names.OTHER)] > 1000
    assert found[("alias-1000", "default")] == 1
    meters.add(names.DECISIONS, CHAT_OK)
    assert total(memory, *KEY) == 1


@pytest.mark.parametrize(("value", "bucket"), [(-5, 0), (0, 0), (1, 0), (2, 1), (4, 1), (4**13, 13), (10**40, 14)])
def test_any_value__has_one_bucket(memory: int, value: int, bucket: int) -> None:
    labels = ("chat", "openai", "manager", "gpt-5.1", "responses", "input")
    meters = worker(memory, 0)
    meters.observe(names.TOKEN_USAGE, labels, value)
    numbers = Board(memory).read()[(names.TOKEN_USAGE.name, *labels)]
    assert [at for at, count in enumerate(numbers[:-1]) if count] == [bucket]


def test_a_number_at_its_end__begins_again_at_nothing(memory: int) -> None:
    meters = worker(memory, 0)
    at = meters._at[names.DECISIONS][CHAT_OK]
    meters._words[at] = MOST
    meters.add(names.DECISIONS, CHAT_OK, 3)
    assert total(memory, *KEY) == 2
    meters.add(names.DECISIONS, CHAT_OK, -7)
    assert total(memory, *KEY) == 2
