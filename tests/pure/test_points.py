"""The fault points: what a plan says is done, at that time, once where it is told so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwrouting.conf.points import FaultPoint, arm, hit, read_plan

POINT = "writer.before_insert"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm({})


def raises() -> bool:
    try:
        hit(POINT)
    except FaultPoint:
        return True
    return False


def test_point__without_a_plan__does_nothing() -> None:
    assert not raises()


def test_raise__happens_every_time_or_at_the_nth() -> None:
    arm(read_plan(f"{POINT}=raise"))
    assert [raises() for _ in range(3)] == [True, True, True]
    arm(read_plan(f" {POINT}=raise@2 ,journal.before_write=raise"))
    assert [raises() for _ in range(3)] == [False, True, False]


def test_delay__takes_its_time() -> None:
    arm(read_plan(f"{POINT}=delay:0.1"))
    before = time.monotonic()
    hit(POINT)
    assert time.monotonic() - before >= 0.1


def test_kill__is_sigkill_to_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(int(number)))
    arm(read_plan(f"{POINT}=kill"))
    hit(POINT)
    assert sent == [9]


def test_told__does_each_part_once_over_all_processes(tmp_path: Path) -> None:
    text = f"told={tmp_path},{POINT}=raise,{POINT}=delay:0,{POINT}=raise@4"
    arm(read_plan(text))
    assert [raises() for _ in range(3)] == [True, False, False]
    arm(read_plan(text))
    assert not raises()
    assert {path.name for path in tmp_path.iterdir()} == {f"{POINT}=raise", f"{POINT}=delay:0"}


@pytest.mark.parametrize(
    "text", ["nowhere=raise", f"{POINT}=explode", f"{POINT}=delay:-1", f"{POINT}=delay:", f"{POINT}=raise@x", POINT]
)
def test_plan__that_names_no_point_or_no_action__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text.partition('=')[0]}"):
        read_plan(text)
