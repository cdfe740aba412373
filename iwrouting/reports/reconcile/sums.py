"""Sums of tokens by bucket of time and model: the provider's usage export against our outcomes. Pure.

A decision counts in the bucket in which it was made. Only tokens that the provider itself reported to us are counted:
an estimate would hide what was lost. Requests are the tries that were answered with a 2xx.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from iwrouting.reports.reconcile.findings import Finding
from iwrouting.reports.reconcile.lines import Call, id_seconds
from iwrouting.reports.reconcile.provider import LINKED, WITH_USAGE, family

ALL = "(all)"
"""In the place of a model where the export does not tell them apart."""

COST = "(cost)"
"""In the place of a model where the export tells dollars."""


@dataclass(slots=True)
class Sum:
    """What was used; `cost_pico` in pico-dollars."""

    requests: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    cost_pico: int = 0

    def add(self, other: Sum) -> None:
        """And this too."""
        self.requests += other.requests
        self.prompt += other.prompt
        self.cached += other.cached
        self.completion += other.completion
        self.cost_pico += other.cost_pico

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.prompt + self.completion


Sums = dict[tuple[int, str], Sum]


@dataclass(frozen=True, slots=True)
class Used:
    """One line of an export: a bucket from `start` to `end`, Unix seconds, and what was used in it.

    An empty `model`: the line is of all models. `cost_pico`: the line tells a cost, and no tokens.
    """

    start: int
    end: int
    model: str = ""
    requests: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    cost_pico: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it tells of a bucket alone, and of nothing used in it."""
        return (self.requests, self.prompt, self.completion, self.cost_pico or 0) == (0, 0, 0, 0)


@dataclass(slots=True)
class Export:
    """A provider's export in buckets of `width` seconds: the sums by start and model, and the whole span."""

    width: int = 0
    start: int = 0
    end: int = 0
    sums: Sums = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Used], low: float | None = None, high: float | None = None) -> Export:
        """The export of these lines; those of one bucket and model are added up.

        low, high: Unix times; only buckets that are wholly between them count. Without any the width is 0. Of exports
        with buckets of several widths, such as hours of tokens and days of costs, it is the widest.
        """
        every = [line for line in lines if (low or 0) <= line.start and (high is None or line.end <= high)]
        made = cls(
            max((line.end - line.start for line in every), default=0),
            min((line.start for line in every), default=0),
            max((line.end for line in every), default=0),
        )
        for line in every:
            made._add(line)
        return made

    def _add(self, line: Used) -> None:
        model = COST if line.cost_pico is not None else family(line.model) or ALL
        if line.is_empty:
            return
        kept = self.sums.setdefault((self.bucket(line.start), model), Sum())
        kept.requests += line.requests
        kept.prompt += line.prompt
        kept.cached += line.cached
        kept.completion += line.completion
        kept.cost_pico += line.cost_pico or 0

    def bucket(self, at: float) -> int:
        """The start of the bucket that holds a time."""
        return self.start + int(at - self.start) // self.width * self.width

    @property
    def models(self) -> set[str]:
        """What it tells sums of: models, ALL of them together, or COST."""
        return {key[1] for key in self.sums}


def add_ours(sums: Sums, call: Call, export: Export, upstreams: Collection[str] = ()) -> None:
    """Add one call of ours to the sums, if it was made in the export's span."""
    outcome, at = call.outcome, id_seconds(call.decision)
    endpoint = call.decided[0].endpoint if call.decided else ""
    if not export.start <= at < export.end or endpoint not in (*WITH_USAGE, LINKED):
        return
    start = export.bucket(at)
    for tried in call.tried:
        answered = tried.kind == "call" and tried.status is not None and 200 <= tried.status < 300
        if answered and (not upstreams or tried.upstream in upstreams):
            _sum(sums, start, tried.model, export).requests += 1
    if outcome is None or (upstreams and outcome.upstream not in upstreams):
        return
    if outcome.cost_pico is not None and COST in export.models:
        sums.setdefault((start, COST), Sum()).cost_pico += outcome.cost_pico
    if outcome.counted == "provider" and outcome.model:
        kept = _sum(sums, start, outcome.model, export)
        kept.prompt += outcome.prompt or 0
        kept.cached += outcome.cached or 0
        kept.completion += outcome.completion or 0


def _sum(sums: Sums, start: int, model: str, export: Export) -> Sum:
    name = ALL if export.models <= {ALL, COST} else family(model)
    return sums.setdefault((start, name), Sum())


@dataclass(frozen=True, slots=True)
class Compared:
    """One bucket and model in both ledgers."""

    start: int
    model: str
    ours: Sum
    theirs: Sum

    @property
    def share(self) -> float | None:
        """How many percent of what the provider counted we have; None where it counted nothing."""
        ours, theirs = (
            (self.ours.cost_pico, self.theirs.cost_pico) if self.is_cost else (self.ours.tokens, self.theirs.tokens)
        )
        return 100 * ours / theirs if theirs else None

    @property
    def is_cost(self) -> bool:
        """Whether it compares dollars."""
        return self.model == COST

    @property
    def at(self) -> str:
        """The start of the bucket, in ISO form."""
        return datetime.fromtimestamp(self.start, UTC).isoformat().replace("+00:00", "Z")


def compare_sums(ours: Mapping[tuple[int, str], Sum], export: Export) -> Iterator[Compared]:
    """Every bucket and model that one of them has, by time."""
    models = export.models
    for key in sorted({*ours, *export.sums}):
        if key[1] == COST or models != {COST}:
            yield Compared(*key, ours.get(key, Sum()), export.sums.get(key, Sum()))


def sum_findings(compared: Compared, tolerance: float) -> Iterator[Finding]:
    """What differs by more than `tolerance` percent of what the provider counted."""
    names = ("cost_pico",) if compared.is_cost else ("prompt", "completion")
    for name in names:
        mine, other = getattr(compared.ours, name), getattr(compared.theirs, name)
        if abs(mine - other) * 100 > tolerance * other:
            field = name if compared.is_cost else f"{name}_tokens"
            yield Finding(
                "sum_differs", "usage", field=field, ours=mine, theirs=other, detail=f"{compared.at} {compared.model}"
            )
