"""Lines of the change list that no revision made: another environment, a scheduled change, break-glass."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iwrouting.conf.redact import redact
from iwrouting.models import Change
from iwrouting.models.history import REASON_LENGTH
from iwrouting.types import ChangeKind, Via

AUTHOR = "iwrouting"


@dataclass(frozen=True, slots=True)
class Line:
    """One of them. `event` is its name, under which it stands once; `details` become a JSON object."""

    event: str
    kind: ChangeKind
    at: datetime
    reason: str
    details: Mapping[str, Any]
    author: str = AUTHOR


def untold(lines: Iterable[Line]) -> list[Line]:
    """Those that do not stand in the change list yet. Raises DatabaseError."""
    found = list(lines)
    events = [each.event for each in found]
    told = set(Change.objects.filter(event__in=events).values_list("event", flat=True)) if events else set()
    return [each for each in found if each.event not in told]


def tell(lines: Iterable[Line]) -> None:
    """Write them in one statement; what stands there already stays as it is. Raises DatabaseError."""
    rows = [
        Change(
            at=each.at,
            kind=each.kind,
            author=each.author[:200],
            via=Via.SERVICE,
            reason=_short(redact(each.reason)),
            details=json.dumps(each.details, sort_keys=True),
            event=each.event,
        )
        for each in lines
    ]
    Change.objects.bulk_create(rows, ignore_conflicts=True)


def _short(text: str) -> str:
    return text if len(text) <= REASON_LENGTH else f"{text[: REASON_LENGTH - 3]}..."
