"""A moment of the configuration's past, named by a revision or by a time (design.md 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from iwrouting.models import Change
from iwrouting.snapshot.contents import NoSuchRevision, known_revisions, revision_at

REVISION = re.compile(r"[0-9]{1,18}")
FORM = "give a revision such as 41, or a time with its zone such as 2026-11-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Moment:
    """The revision in force, and the time by which starts and ends of overrides are judged."""

    revision: int
    at: datetime


def read_moment(text: str) -> int | datetime:
    """A revision, or a time in UTC. Raises ValueError that says what to give."""
    if REVISION.fullmatch(text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text[:40]!r} is neither: {FORM}")


def find_moment(asked: int | datetime) -> Moment:
    """The moment that was asked for: of a revision that of its commit, of a time the last revision committed by then.

    A time to come is answered by the last revision, with what is scheduled by then. Raises NoSuchRevision.
    """
    if isinstance(asked, datetime):
        return Moment(revision_at(asked), asked)
    first, last = known_revisions()
    if not first <= asked <= last:
        raise NoSuchRevision(f"There is no revision {asked}: history has the revisions {first} to {last}.")
    lines = Change.objects.filter(revision__isnull=False, revision__gte=asked).order_by("revision")
    # Revision 0 has no line: it is the empty configuration before the first.
    at = lines.values_list("at", flat=True).first()
    return Moment(asked, at or datetime.now(UTC))


def moment_text(at: datetime) -> str:
    """A time as RFC 3339 in UTC, to the millisecond: `2026-11-22T20:00:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
