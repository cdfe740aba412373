"""Our ids: UUIDv7 by RFC 9562, rising in every thread, with their time inside."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from iwrouting.audit import ids
from iwrouting.audit.ids import decision_time, new_id, new_id_at


def test_id__is_a_uuid_of_version_7_and_the_standard_variant() -> None:
    for _ in range(5_000):
        text = new_id()
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text)
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)


def test_id__time_inside__is_now_in_utc_to_the_millisecond() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    text, moment = new_id_at()
    assert before <= moment <= datetime.now(UTC) + timedelta(seconds=2)
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1_000 == 0
    assert decision_time(text) == decision_time(text.replace("-", "")) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)),
        ("00000000-0000-7000-8000-000000000000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("00000000-0001-7fff-bfff-ffffffffffff", datetime(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC)),
    ],
)
def test_decision_time__of_a_known_id__is_its_time(text: str, moment: datetime) -> None:
    assert decision_time(text) == moment


def test_ids__in_many_threads__are_unique_and_rise_in_each() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    barrier = threading.Barrier(len(made))

    def make(into: list[str]) -> None:
        barrier.wait()
        into.extend(new_id() for _ in range(4_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text for each in made for text in each}) == 32_000
    for each in made:
        assert each == sorted(each)
    prefixes = {text[:18] for each in made for text in each}
    assert len(prefixes) == 32_000


def test_ids__clock_that_stands_or_steps_back__rise_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    base = time.time_ns() + 10**15
    steps = [base] * 9_000 + [base - 10**12] * 100 + [base + 10**6 * n for n in range(100)]
    monkeypatch.setattr(ids, "time", SimpleNamespace(time_ns=iter(steps).__next__))
    monkeypatch.setattr(ids, "_last_ms", 0)
    made = [new_id_at() for _ in steps]
    assert [text for text, _ in made] == sorted({text for text, _ in made})
    assert all(decision_time(text) == moment for text, moment in made)
    assert made[-1][1] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=(base + 99 * 10**6) // 10**6)
    assert (made[9_000][1] - made[0][1]) <= timedelta(milliseconds=2)


def test_ids__random_part__uses_all_its_bits() -> None:
    tails = [uuid.UUID(new_id()).int for _ in range(400)]
    for position in range(62):
        assert 100 < sum(number >> position & 1 for number in tails) < 300


FORKED = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("ids", sys.argv[1])
ids = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ids)
ids.new_id()
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, "".join(ids.new_id()[19:] for _ in range(50)).encode())
    os._exit(0)
os.wait()
theirs = os.read(read, 65536).decode()
print(any(ids.new_id()[19:] in theirs for _ in range(50)))
"""


def test_ids__of_a_forked_process__are_not_those_of_its_parent() -> None:
    command = [sys.executable, "-c", FORKED, str(ids.__file__)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
