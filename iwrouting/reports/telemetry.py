"""What the InfinityWindow backend counted in `_LLM_TELEMETRY_COUNTERS` (seed-model-matrix.md 4), out of the audit:
routes by inferred mode with the rule that decided, and fallbacks. Exactly what the raw rows add up to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from iwrouting.meters.names import RULES
from iwrouting.reports.usage.question import PROJECT, Question
from iwrouting.reports.usage.reading import Row, read

COUNTED = (
    "calls",
    "resolves",
    "errors",
    "refused",
    "client_closed",
    "fallbacks",
    "calls_with_fallback",
    "served_by_fallback",
)
"""Of the measures of usage."""

GROUP = ("alias", "inferred_mode", "rule")
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Route:
    """For how many calls and recorded resolves a rule inferred a chat mode."""

    inferred_mode: str
    rule: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The counts of a time: in all, by inferred mode and rule, and by alias (empty: a model was named).

    `routes` has each rule of this release, also with nothing under it, in the order in which they are tested; then
    those of other releases that are met.
    """

    totals: Counts
    routes: tuple[Route, ...]
    aliases: tuple[tuple[str, Counts], ...]

    @property
    def modes(self) -> dict[str, int]:
        """Routes by inferred mode, of calls and recorded resolves alike."""
        found: dict[str, int] = {}
        for route in self.routes:
            found[route.inferred_mode] = found.get(route.inferred_mode, 0) + routed(route.counts)
        return found


def telemetry(
    start: datetime,
    end: datetime,
    *,
    project: str | None = None,
    projects: Collection[str] | None = None,
    seconds: float | None = None,
) -> Telemetry:
    """The counts of the decisions that were made from `start` up to, not including, `end`, and have ended.

    Test traffic is left out. `project`: of this one alone; `projects`: of these alone; None: of all. `seconds`: how
    long the database may take. Raises what `read` raises.
    """
    filters = {} if project is None else {PROJECT: [project]}
    rows = read(Question(start, end, group=GROUP, filters=filters, projects=projects), seconds).rows
    routes = {rule: _sum(row for row in rows if row.names[1:] == rule) for rule in _rules(rows)}
    aliases = sorted({row.names[0] for row in rows})
    return Telemetry(
        _sum(rows),
        tuple(Route(mode, rule, counts) for (mode, rule), counts in routes.items()),
        tuple((alias, _sum(row for row in rows if row.names[0] == alias)) for alias in aliases),
    )


def routed(counts: Counts) -> int:
    """Calls and recorded resolves: each was a route that was decided."""
    return counts["calls"] + counts["resolves"]


def _rules(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    met = {row.names[1:] for row in rows if row.names[1]}
    return [*RULES, *sorted(met - {*RULES})]


def _sum(rows: Iterable[Row]) -> Counts:
    found = Counter(dict.fromkeys(COUNTED, 0))
    for row in rows:
        found.update({name: row.counts[name] or 0 for name in COUNTED})
    return dict(found)
