"""Fault points: named places before and after each durable step, where a test can raise, delay or kill.

`IW_FAULT_POINTS` names them, `point=action[@N]` separated by commas: `raise` (a FaultPoint, which is an OSError),
`delay:SECONDS`, `kill` (SIGKILL to this process); `@N` at the Nth time alone, else at every time. It is taken in
development only. Without it a point costs one look at an empty dictionary.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

POINTS = (
    "writer.before_insert",
    "writer.after_insert",
    "journal.before_write",
    "journal.before_fsync",
    "journal.after_fsync",
    "replay.before_insert",
    "replay.after_insert",
    "replay.before_clear",
    "replay.after_clear",
    "adopt.before_replay",
    "adopt.after_replay",
    "sweep.before_close",
    "sweep.after_close",
    "snapshot.before_write",
    "snapshot.before_rename",
    "snapshot.after_rename",
    "seal.before_insert",
    "seal.after_insert",
    "retention.before_detach",
    "retention.after_detach",
    "retention.after_drop",
    "partitions.before_move",
    "partitions.after_move",
)
"""All of them; a test walks each."""


class FaultPoint(OSError):
    """What `raise` raises."""


@dataclass(slots=True)
class Plan:
    """What happens at a point; `at` 0: every time."""

    action: str
    at: int = 0
    seen: int = 0


def read_plan(text: str) -> dict[str, Plan]:
    """The plan that a text describes. Raises ValueError that names the part which is wrong."""
    plan = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, rest = part.partition("=")
        action, _, at = rest.partition("@")
        seconds = action.removeprefix("delay:")
        if (
            name not in POINTS
            or (action not in ("raise", "kill") and not _is_number(seconds))
            or (at and not at.isdigit())
        ):
            raise ValueError(f"{part[:60]!r} is not a point of iwrouting/conf/points.py with raise, kill or delay:S")
        plan[name] = Plan(action, int(at or 0))
    return plan


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


_plan: dict[str, Plan] = {}


def arm(plan: dict[str, Plan]) -> None:
    """Put this plan in force, and no other."""
    _plan.clear()
    _plan.update(plan)


def hit(name: str) -> None:
    """Do what the plan says of this point. Raises FaultPoint. A delay blocks the thread that comes here."""
    found = _plan.get(name)
    if found is None:
        return
    found.seen += 1
    if found.at and found.seen != found.at:
        return
    if found.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif found.action == "raise":
        raise FaultPoint(f"fault point {name}")
    else:
        time.sleep(float(found.action.removeprefix("delay:")))
