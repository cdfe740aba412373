"""The provider's bill by day and model: their sums and ours, the share that we have, and why they differ. Pure.

A day's sums are those of its buckets. A decision counts on the day of the bucket in which it was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from iwrouting.reports.reconcile.files import BadFile
from iwrouting.reports.reconcile.lines import Call, id_seconds
from iwrouting.reports.reconcile.provider import LINKED, WITH_USAGE, family
from iwrouting.reports.reconcile.reasons import (
    EITHER,
    OURS,
    THEIRS,
    Reason,
    Tally,
    cost_reason,
    is_unknown,
    sent,
    served_by,
    token_reasons,
)
from iwrouting.reports.reconcile.sums import ALL, COST, Compared, Export, Sum

TOTAL = "(total)"
"""In the place of a day, or of a model."""

EQUAL, EXPLAINED, PARTLY, UNEXPLAINED = "equal", "explained", "partly", "unexplained"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Day:
    """One day and model, or a total. `reasons`: calls or tries by code, with what we know of their tokens.

    `sent`: the tries of ours that went out. `ours.cost_pico` is the cost of our calls by list prices, on rows of tokens
    too; theirs is told by exports of costs alone.
    """

    day: str
    model: str
    ours: Sum
    theirs: Sum
    sent: int = 0
    reasons: Mapping[str, Tally] = field(default_factory=dict)
    tolerance: float = 0.0

    @property
    def is_cost(self) -> bool:
        """Whether it compares dollars."""
        return self.model == COST

    @property
    def share(self) -> float | None:
        """How many percent of what the provider counted we have; None where it counted nothing."""
        return Compared(0, self.model, self.ours, self.theirs).share

    @property
    def left(self) -> dict[str, int]:
        """What of the difference is beyond all that the reasons may come to, by what we know or estimate of them;
        negative where ours is more. A reason may hold or not, so a difference below their sum leaves nothing."""
        found = {}
        for name in ("cost_pico",) if self.is_cost else ("prompt", "completion"):
            difference = self._difference(name)
            found[name] = max(difference - self._sum(THEIRS, name), 0) + min(difference + self._sum(OURS, name), 0)
        return found

    @property
    def verdict(self) -> str:
        """Whether the sums are equal within the tolerance; else whether our own rows explain the difference: wholly, in
        part (there are reasons, and we do not know how much they come to), or not at all."""
        differing = [name for name in self.left if self._is_more(self._difference(name), name)]
        if not differing:
            return EQUAL
        if not any(self._is_more(left, name) for name, left in self.left.items()):
            return EXPLAINED
        return PARTLY if all(self._fitting(self._difference(name)) for name in differing) else UNEXPLAINED

    def _difference(self, name: str) -> int:
        return int(getattr(self.theirs, name) - getattr(self.ours, name))

    def _is_more(self, difference: int, name: str) -> bool:
        return abs(difference) * 100 > self.tolerance * int(getattr(self.theirs, name))

    def _fitting(self, difference: int) -> list[str]:
        side = THEIRS if difference > 0 else OURS
        return [code for code in self.reasons if code in side or (code in EITHER and self.is_cost)]

    def _sum(self, side: Collection[str], name: str) -> int:
        codes = [code for code in self.reasons if code in side or (code in EITHER and self.is_cost)]
        return sum(int(getattr(self.reasons[code], name)) for code in codes)


class Days:
    """Takes our calls one by one, and tells the days of an export in a zone."""

    def __init__(self, export: Export, zone: tzinfo, upstreams: Collection[str] = ()) -> None:
        """Raises BadFile where a bucket of the export lies in two days of the zone."""
        self._export, self._zone, self._upstreams = export, zone, upstreams
        self._reasons: dict[Key, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
        self._sent: dict[Key, int] = defaultdict(int)
        self._cost: dict[Key, int] = defaultdict(int)
        self._check()

    def add(self, call: Call) -> None:
        """Take a call of ours, if it was made in the export's span."""
        at, outcome = id_seconds(call.decision), call.outcome
        if not self._export.start <= at < self._export.end or call.decided[0].endpoint not in (*WITH_USAGE, LINKED):
            return
        day = self._day(at)
        for tried in sent(call, self._upstreams):
            self._sent[day, self._name(tried.model)] += 1
        served = served_by(call, self._upstreams)
        if served and not call.tried and is_unknown(call):
            self._sent[day, self._name(call.decided[0].resolved)] += 1
        if served and outcome is not None and outcome.cost_pico is not None:
            self._cost[day, self._name(outcome.model)] += outcome.cost_pico
        later = day if outcome is None or outcome.ended is None else self._day(outcome.ended.timestamp())
        for reason in token_reasons(call, self._upstreams, is_later=later > day):
            self._take(day, later, reason, self._name(reason.model))
        if COST in self._export.models:
            found = cost_reason(call, self._upstreams, is_later=later > day)
            if found is not None:
                self._take(day, later, found, COST)

    def rows(self, compared: Iterable[Compared], tolerance: float) -> list[Day]:
        """Every day and model, by time; then the totals of each model, and those of all."""
        sums: dict[Key, tuple[Sum, Sum]] = defaultdict(lambda: (Sum(), Sum()))
        for each in compared:
            ours, theirs = sums[self._date(each.start).isoformat(), each.model]
            ours.add(each.ours)
            theirs.add(each.theirs)
        days = [self._row(key, *sides, tolerance) for key, sides in sorted(sums.items())]
        return [*days, *_totals(days, tolerance)]

    def _row(self, key: Key, ours: Sum, theirs: Sum, tolerance: float) -> Day:
        ours.cost_pico = ours.cost_pico if key[1] == COST else self._cost[key]
        reasons = dict(sorted(self._reasons[key].items()))
        early = reasons.get("began_earlier", Tally()).calls
        reasons |= _of_sums(key[1], ours, theirs, self._sent[key] + early)
        return Day(*key, ours, theirs, self._sent[key], reasons, tolerance)

    def _take(self, day: str, later: str, reason: Reason, model: str) -> None:
        self._reasons[day, model][reason.code].add(reason.tally)
        if reason.code == "ends_later":
            self._reasons[later, model]["began_earlier"].add(reason.tally)

    def _name(self, model: str) -> str:
        return ALL if self._export.models <= {ALL, COST} else family(model)

    def _day(self, at: float) -> str:
        """The day of the bucket that holds a time; of a time after the export, its own."""
        return self._date(self._export.bucket(at) if at < self._export.end else at).isoformat()

    def _date(self, at: float) -> date:
        return datetime.fromtimestamp(at, self._zone).date()

    def _check(self) -> None:
        if self._zone == UTC:
            return  # Days as the provider has them, whatever they are.
        width = self._export.width
        for start in {key[0] for key in self._export.sums}:
            if self._date(start) != self._date(start + width - 1):
                raise BadFile(
                    f"A bucket of {width // 3600} h lies in two days of {self._zone}: fetch the export with "
                    "bucket_width=1h (costs come by days of UTC alone), or leave --zone out."
                )


def _of_sums(model: str, ours: Sum, theirs: Sum, most: int) -> dict[str, Tally]:
    """Reasons that the sums themselves tell. `most`: the requests of ours that the provider can have counted."""
    if model == COST:
        return {}
    found = {}
    if theirs.tokens and not ours.tokens and not most:
        found["only_theirs"] = Tally(theirs.requests, theirs.prompt, theirs.completion)
    elif ours.tokens and not theirs.tokens and not theirs.requests:
        found["only_ours"] = Tally(ours.requests, ours.prompt, ours.completion)
    elif theirs.requests > most:
        found["foreign"] = Tally(theirs.requests - most)
    if ours.cached != theirs.cached and ours.prompt == theirs.prompt:
        found["cached"] = Tally()
    return found


def _totals(days: list[Day], tolerance: float) -> Iterator[Day]:
    """Of each model, and of all tokens."""
    for model in sorted({each.model for each in days}):
        yield _total(model, [each for each in days if each.model == model], tolerance)
    tokens = [each for each in days if not each.is_cost]
    if len({each.model for each in tokens}) > 1:
        yield _total(TOTAL, tokens, tolerance)


def _total(model: str, days: list[Day], tolerance: float) -> Day:
    """A call that crossed the edge of a day inside the span stands in both totals: it explains nothing here."""
    ours, theirs = Sum(), Sum()
    reasons: dict[str, Tally] = {}
    for each in days:
        ours.add(each.ours)
        theirs.add(each.theirs)
        for code, tally in each.reasons.items():
            reasons.setdefault(code, Tally()).add(tally)
    early = reasons.pop("began_earlier", Tally())
    late = reasons.pop("ends_later", Tally())
    if late.calls > early.calls:
        reasons["ends_later"] = late.without(early)
    return Day(TOTAL, model, ours, theirs, sum(each.sent for each in days), reasons, tolerance)
