"""What was done by break-glass, as lines of the change list once the database is back; and its end by the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from iwrouting.snapshot import glass
from iwrouting.snapshot.glass import Pane, Panes
from iwrouting.snapshot.lines import AUTHOR, Line
from iwrouting.types import ChangeKind, Configuration


def lines_of(panes: Panes) -> list[Line]:
    """A line for each that was switched off, and one for each that was lifted."""
    return [line for pane in panes for line in _lines(pane)]


def forget(told: Panes) -> None:
    """Take those that are lifted and told out of the file. Raises Unusable or OSError."""
    gone = {each.number for each in told if not each.holds}
    if gone:
        glass.rewrite(lambda panes: [each for each in panes if each.number not in gone])


def lift_settled(config: Configuration, now: datetime) -> None:
    """Lift what the configuration of the database has disabled or deleted itself. Raises Unusable or OSError."""
    enabled = {each.ref for each in config.overrides.values() if each.enabled}
    settled = {each.number for each in glass.read() if each.holds and each.ref not in enabled}
    if settled:
        why = f"Disabled or deleted in the database, as of revision {config.revision}"
        glass.rewrite(
            lambda panes: [each.ended(now, AUTHOR, why) if each.number in settled else each for each in panes]
        )


def _lines(pane: Pane) -> Iterator[Line]:
    yield _line(pane, "begun", pane.at, pane.by, f"{pane.told} switched off on {pane.host} alone: {pane.reason}")
    if pane.ended_at is not None:
        words = f"{pane.told} counts again on {pane.host}: {pane.ended_reason}"
        yield _line(pane, "ended", pane.ended_at, pane.ended_by, words)


def _line(pane: Pane, what: str, at: datetime, author: str, reason: str) -> Line:
    details: dict[str, Any] = {
        "object_type": "override",
        "object_id": int(pane.ref.removeprefix("override:")),
        "name": pane.told,
        "what": what,
        "host": pane.host,
        "revision": pane.revision,
    }
    return Line(f"{glass.WARNING}:{pane.number}:{what}", ChangeKind.BREAK_GLASS, at, reason, details, author)
