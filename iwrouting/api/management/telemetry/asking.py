"""What time a request for telemetry is about: a window, a range, or since the key's own marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from iwrouting.api.management.resources.filters import Filters, lookups, text, time
from iwrouting.errors import BadRequest
from iwrouting.models import TelemetryMarker
from iwrouting.reports.usage.cover import begin_of

RESET, USUAL = "reset", "24h"
LENGTHS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
WINDOWS = (*LENGTHS, RESET)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
FILTERS: Filters = {
    "window": text("window", f"One of {', '.join(WINDOWS)}; the last begins at the key's last reset."),
    "from": time("from", "Of decisions made from this time on"),
    "to": time("to", "Of those made before this time; left out: up to now"),
    "project": text("project", "Slug or external id of the project, or the unknown name that the caller sent."),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """From when to when; `window` by its name, or None for a range. `reset_at`: the key's marker, if it has one."""

    window: str | None
    start: datetime
    end: datetime
    reset_at: datetime | None
    project: str | None = None


def now_ms() -> datetime:
    """The time now in whole milliseconds, as decisions have theirs and answers tell it: no two ranges overlap."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def read_asked(query: Mapping[str, str], key_id: str, now: datetime) -> Asked:
    """What a query asks for; without a time: since the key's marker, or of the usual window. Raises BadRequest."""
    found = lookups(FILTERS, query)
    marker = TelemetryMarker.objects.filter(key_id=key_id).values_list("at", flat=True).first()
    project = found.get("project")
    if "window" in found and (other := next((name for name in ("from", "to") if name in found), None)):
        raise BadRequest(f"window: give either window or {other}.", param="window")
    if "from" in found or "to" in found:
        return Asked(None, *_range(found, now), marker, project)
    window = found.get("window", RESET if marker else USUAL)
    return Asked(window, _start(window, marker, now), now, marker, project)


def _range(found: Mapping[str, datetime], now: datetime) -> tuple[datetime, datetime]:
    if "from" not in found:
        raise BadRequest("to: give from too, where the time begins.", param="from")
    start, end = found["from"], found.get("to", now)
    if not EARLIEST <= start < end <= LATEST:
        after = "to" if "to" in found else "now"
        raise BadRequest(f"from: must be before {after}, and both of the years 1970 to 2199.", param="from")
    return start, end


def _start(window: str, marker: datetime | None, now: datetime) -> datetime:
    if window in LENGTHS:
        # From the beginning of a quarter of an hour: cells have it, even where the raw rows are gone.
        return begin_of(now - LENGTHS[window])
    if window != RESET:
        raise BadRequest(f"window: {window[:80]!r} is none; there are {', '.join(WINDOWS)}.", param="window")
    if marker is None:
        raise BadRequest(
            "window: this key has never reset its telemetry: POST /api/v1/telemetry/reset does, and 24h needs none.",
            param="window",
            code="never_reset",
        )
    return min(marker, now)
