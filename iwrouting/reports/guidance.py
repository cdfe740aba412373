"""Where a stronger model than the task needs served, summed over days from rpt_cost_guidance_v1 (docs/guidance.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from iwrouting.pricing import dollars

QUERY = """
SELECT project, alias, inferred_mode, model_served, task_tier, model_tier, reference_model,
    sum(calls) AS calls, sum(cost_pico) AS cost_pico,
    sum(CASE WHEN saving_pico IS NOT NULL THEN cost_pico END) AS compared_pico,
    sum(CASE WHEN saving_pico IS NOT NULL THEN cost_at_tier_pico END) AS cost_at_tier_pico,
    sum(CASE WHEN saving_pico IS NULL THEN calls ELSE 0 END) AS not_compared,
    max(CASE WHEN is_estimated THEN 1 ELSE 0 END) AS is_estimated
FROM rpt_cost_guidance_v1
WHERE fit = 'stronger' AND NOT is_test AND day >= %s AND day < %s AND (%s = '' OR project = %s)
GROUP BY project, alias, inferred_mode, model_served, task_tier, model_tier, reference_model
ORDER BY calls DESC, reference_model
"""
PLACE = ("project", "alias", "inferred_mode", "model_served", "task_tier", "model_tier")


@dataclass(slots=True)
class Excess:
    """Calls of one task that a stronger model than it needs served. Costs in pico-dollars.

    `cost_pico` is of all of them; `compared_pico` and `cost_at_tier_pico` are of the groups for which both are known,
    and leave `not_compared` calls out. `references` are the models of the right tier, by how many calls they are for.
    """

    project: str
    alias: str
    inferred_mode: str
    model_served: str
    task_tier: str
    model_tier: str
    references: list[str] = field(default_factory=list)
    calls: int = 0
    not_compared: int = 0
    cost_pico: int | None = None
    compared_pico: int | None = None
    cost_at_tier_pico: int | None = None
    is_estimated: bool = False

    @property
    def task(self) -> str:
        """The alias whose tier the task has."""
        return self.inferred_mode or self.alias

    @property
    def saving_pico(self) -> int | None:
        """What the right tier would have saved; negative where it costs more; None where it is not known."""
        if self.compared_pico is None or self.cost_at_tier_pico is None:
            return None
        return self.compared_pico - self.cost_at_tier_pico

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in the sums of one reference."""
        self.calls += row["calls"]
        self.not_compared += row["not_compared"]
        self.is_estimated |= bool(row["is_estimated"])
        if row["reference_model"] is not None:
            self.references.append(row["reference_model"])
        for name in ("cost_pico", "compared_pico", "cost_at_tier_pico"):
            setattr(self, name, _sum(getattr(self, name), row[name]))

    def as_dict(self) -> dict[str, Any]:
        """As commands show it: money as integers in pico-dollars and as decimal text in dollars."""
        counts = {"calls": self.calls, "not_compared": self.not_compared, "is_estimated": self.is_estimated}
        money = {
            "cost": self.cost_pico,
            "compared": self.compared_pico,
            "cost_at_tier": self.cost_at_tier_pico,
            "saving": self.saving_pico,
        }
        found: dict[str, Any] = {name: getattr(self, name) for name in PLACE}
        found |= {"reference_models": list(self.references), **counts}
        for name, pico in money.items():
            found |= {f"{name}_pico": pico, f"{name}_usd": None if pico is None else dollars(pico)}
        return found


def excesses(start: date, end: date, project: str = "") -> list[Excess]:
    """Those of the days from `start` up to, not including, `end` (UTC), of one project or of all; test traffic is left
    out. The largest saving first; those of which none is known at the end. Raises database errors."""
    found: dict[tuple[str, ...], Excess] = {}
    for row in _rows(start, end, project):
        place = tuple(row[name] for name in PLACE)
        found.setdefault(place, Excess(*place)).add(row)
    return sorted(found.values(), key=_rank)


def _rank(each: Excess) -> tuple[bool, int, int, str]:
    saving = each.saving_pico
    return saving is None, -(saving or 0), -each.calls, f"{each.project} {each.alias} {each.model_served}"


def _rows(start: date, end: date, project: str) -> Iterator[Mapping[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [start.isoformat(), end.isoformat(), project, project])
        names = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            yield dict(zip(names, (_whole(value) for value in row), strict=True))


def _whole(value: Any) -> Any:
    """PostgreSQL's sums of integers come as decimals."""
    return value if value is None or isinstance(value, str) else int(value)


def _sum(known: int | None, more: int | None) -> int | None:
    if more is None:
        return known
    return more if known is None else known + more
