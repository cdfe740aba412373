"""Recorded streams cut anywhere: the whole answer, by another model too, or an error in the open; never a false end."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from tests.faults.conftest import Replaying
from tests.faults.cutting import Cut, Tally, all_cuts, borders, play, record, some_cuts, tally
from tests.faults.replay import Replay
from tests.faults.run import ALL
from tests.live.live import Live

pytestmark = pytest.mark.timeout(0)
SPREAD = 40
PART = 3000


def test_stream_cut_anywhere__is_whole_or_an_open_error(live: Live, replaying: Replaying) -> None:
    recordings = record(live.sandbox.base_url)
    cuts = list(all_cuts(recordings) if os.environ.get(ALL) else some_cuts(recordings, SPREAD))
    seen: Counter[tuple[str, str, str]] = Counter()
    wrong: list[str] = []
    for start in range(0, len(cuts), PART):
        part = judged(live, replaying, f"{live.run}-{start}", recordings, cuts[start : start + PART])
        seen += part.ends
        wrong += part.wrong
        print(f"cuts: {min(start + PART, len(cuts))} of {len(cuts)}, {len(wrong)} wrong", flush=True)
    show(recordings, cuts, seen)
    assert wrong == []
    assert sum(seen.values()) == len(cuts)
    assert {end for _, _, end in seen} == {"whole", "whole by the next model", "error event"}


def judged(live: Live, replaying: Replaying, run: str, recordings: dict[str, bytes], cuts: list[Cut]) -> Tally:
    """Play some cuts and judge them."""
    replay = Replay(replaying.socket, recordings)
    playing = play(live.service.url, live.home.key, run, replay, cuts)
    return tally(run, asyncio.run(playing), recordings, replay)


def show(recordings: dict[str, bytes], cuts: list[Cut], seen: Counter[tuple[str, str, str]]) -> None:
    """Print the counts; `make faults` shows them."""
    for name, data in recordings.items():
        print(f"{name}: {len(data)} bytes, {len(borders(data))} frames")
    print(f"{len(cuts)} cuts")
    for (mode, name, end), count in sorted(seen.items()):
        print(f"  {mode:<28}{name:<16}{end:<26}{count:>7}")
