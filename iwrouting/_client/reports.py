"""What the service was not there to see: fallback answers, counted and told at the next contact."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Report:
    """How many answers were given without the service, and when the first of them was (UTC)."""

    count: int = 0
    since: datetime | None = None

    def headers(self) -> dict[str, str]:
        """`x-iw-client-fallbacks: <count>;since=<RFC 3339>`, or nothing to tell."""
        if self.since is None:
            return {}
        since = self.since.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"x-iw-client-fallbacks": f"{self.count};since={since}"}


class Fallbacks:
    """The count since the last report. Safe for threads; a report is told once, unless its request fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending = Report()

    def add(self) -> None:
        """Count one answer given now."""
        self.give_back(Report(1, datetime.now(UTC)))

    def take(self) -> Report:
        """What is to be told; the next caller has nothing to tell."""
        with self._lock:
            report, self._pending = self._pending, Report()
        return report

    def give_back(self, report: Report) -> None:
        """Keep a report that did not arrive for the next contact."""
        with self._lock:
            times = [time for time in (report.since, self._pending.since) if time is not None]
            self._pending = Report(report.count + self._pending.count, min(times, default=None))
