"""Fault points: named places before and after each durable step, where a test can raise, delay or kill.

`IW_FAULT_POINTS` names them, `point=action[@N]` separated by commas: `raise` (a FaultPoint, which is an OSError),
`delay:SECONDS`, `kill` (SIGKILL to this process); `@N` at the Nth time alone, else at every time. A point may be named
several times: the first part that applies is done. With `told=FOLDER` among the parts each of them is done once, by
whichever process comes first, and a file in FOLDER, which must exist, says so: `point=action`. It is taken in
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
    "alerts.after_tell",
    "alerts.before_record",
    "alerts.after_record",
    "usage.after_take",
    "usage.before_commit",
    "usage.after_commit",
)
"""All of them; a test walks each."""

TOLD = "told"


class FaultPoint(OSError):
    """What `raise` raises."""


@dataclass(slots=True)
class Plan:
    """What happens at a point; `at` 0: every time. `told`: the folder of what was done once; empty: not only once."""

    action: str
    at: int = 0
    told: str = ""
    seen: int = 0


def read_plan(text: str) -> dict[str, list[Plan]]:
    """The plan that a text describes. Raises ValueError that names the part which is wrong."""
    parts = [each.strip().partition("=") for each in text.split(",") if each.strip()]
    told = next((value for name, _, value in parts if name == TOLD), "")
    plan: dict[str, list[Plan]] = {}
    for name, _, rest in parts:
        if name == TOLD:
            continue
        action, _, at = rest.partition("@")
        is_known = action in ("raise", "kill") or _is_number(action.removeprefix("delay:"))
        if name not in POINTS or not is_known or (at and not at.isdigit()):
            wrong = f"{name}={rest}"
            raise ValueError(f"{wrong[:60]!r} is not a point of iwrouting/conf/points.py with raise, kill or delay:S")
        plan.setdefault(name, []).append(Plan(action, int(at or 0), told))
    return plan


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


_plan: dict[str, list[Plan]] = {}


def arm(plan: dict[str, list[Plan]]) -> None:
    """Put this plan in force, and no other."""
    _plan.clear()
    _plan.update(plan)


def hit(name: str) -> None:
    """Do what the plan says of this point. Raises FaultPoint. A delay blocks the thread that comes here."""
    plans = _plan.get(name)
    if plans is None:
        return
    due = [plan for plan in plans if _is_due(plan)]
    chosen = next((plan for plan in due if not plan.told or _tell(plan.told, f"{name}={plan.action}")), None)
    if chosen is None:
        return
    if chosen.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif chosen.action == "raise":
        raise FaultPoint(f"fault point {name}")
    else:
        time.sleep(float(chosen.action.removeprefix("delay:")))


def _is_due(plan: Plan) -> bool:
    plan.seen += 1
    return plan.at in (0, plan.seen)


def _tell(folder: str, name: str) -> bool:
    """Note that something is done; False where it was done before, by whichever process."""
    try:
        os.close(os.open(f"{folder}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True
