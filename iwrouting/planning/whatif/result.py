"""What a what-if tells: sums, lines by alias, project and model, what has no price, conflicts, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from iwrouting.pricing import dollars
from iwrouting.snapshot.moments import moment_text

MOST_EXAMPLES = 5


@dataclass(slots=True)
class Tokens:
    """Tokens by class, as the provider reported them when the calls were made."""

    prompt: int = 0
    cached: int = 0
    cache_write: int = 0
    completion: int = 0
    reasoning: int = 0

    def as_dict(self) -> dict[str, int]:
        """By the columns of the audit."""
        return {f"{name}_tokens": getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Money:
    """The cost of calls in integer pico-dollars, and of how many it is known how well.

    `cost_pico` is the sum over `exact` and `estimated` calls alone. `none`: nothing was sent, or it would be refused.
    """

    cost_pico: int = 0
    exact: int = 0
    estimated: int = 0
    unpriced: int = 0
    none: int = 0

    def as_dict(self) -> dict[str, Any]:
        """With the cost in dollars beside the integer."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {"cost_usd": dollars(self.cost_pico), **counts}


@dataclass(slots=True)
class Line:
    """Calls of one kind. All but `calls` is of the `changed` ones.

    `before` is what the records say, `after` the same tokens at the prices of the model that would have served.
    `difference_pico` is over the `compared` calls: those with a cost on both sides.
    """

    calls: int = 0
    changed: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    before: Money = field(default_factory=Money)
    after: Money = field(default_factory=Money)
    compared: int = 0
    difference_pico: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As API and commands show it."""
        return {
            "calls": self.calls,
            "changed": self.changed,
            "tokens": self.tokens.as_dict(),
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "compared": self.compared,
            "difference_pico": self.difference_pico,
            "difference_usd": dollars(self.difference_pico),
        }


@dataclass(frozen=True, slots=True)
class Conflict:
    """What calls would have met that they did not meet: `kind` of KINDS, at which model, and some of the newest."""

    kind: str
    model: str
    calls: int
    examples: tuple[str, ...]
    told: str

    def as_dict(self) -> dict[str, Any]:
        """As API and commands show it."""
        found = {"kind": self.kind, "model": self.model or None, "calls": self.calls}
        return {**found, "message": self.told, "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Changed calls whose cost at the new model can't be told, and why."""

    model: str
    reason: str
    calls: int
    told: str

    def as_dict(self) -> dict[str, Any]:
        """As API and commands show it."""
        return {"model": self.model, "reason": self.reason, "calls": self.calls, "message": self.told}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The decisions from `start` up to, not including, `end` under another configuration than that of `revision`.

    `recorded` is the cost of all calls as the records have it; `drifted` are calls for which the configuration of
    `revision` itself says another model than the record. `refused` were refused then, and are not judged. `resolves`
    were resolved without a call, of which `resolves_changed` would get another model.
    """

    start: datetime
    end: datetime
    revision: int
    environment_id: str
    total: Line
    recorded: Money
    by_alias: dict[str, Line]
    by_project: dict[str, Line]
    by_model: dict[tuple[str, str], Line]
    unpriced: tuple[Unpriced, ...]
    conflicts: tuple[Conflict, ...]
    drifted: int
    refused: int
    resolves: int
    resolves_changed: int
    assumed: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As API and commands show it: money as integers in pico-dollars and as decimal text in dollars."""
        return {
            "start": moment_text(self.start),
            "end": moment_text(self.end),
            "revision": self.revision,
            "environment_id": self.environment_id,
            "total": self.total.as_dict(),
            "recorded": self.recorded.as_dict(),
            "by_alias": [{"alias": name or None, **line.as_dict()} for name, line in self.by_alias.items()],
            "by_project": [{"project": name or None, **line.as_dict()} for name, line in self.by_project.items()],
            "by_model": [
                {"model_before": old or None, "model_after": new or None, **line.as_dict()}
                for (old, new), line in self.by_model.items()
            ],
            "unpriced": [each.as_dict() for each in self.unpriced],
            "conflicts": [each.as_dict() for each in self.conflicts],
            "drifted": self.drifted,
            "refused": self.refused,
            "resolves": self.resolves,
            "resolves_changed": self.resolves_changed,
            "assumed": list(self.assumed),
        }
