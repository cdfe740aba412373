"""How a model differs from the one whose place it takes: prices, windows, what it serves and reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from iwrouting.pricing import price_in_force, usd_per_million
from iwrouting.resolver import facts_of
from iwrouting.snapshot.contents import Contents
from iwrouting.types import Configuration, ModelFacts, Sampling
from iwrouting.types.facts import TRANSLATED

WINDOWS = {
    "input_window": "longer requests are passed over or refused",
    "context_window": "longer requests with their answers are passed over or refused",
    "max_output": "longer answers are cut off",
}
SETS = {
    "input_modalities": "it does not read {}",
    "hosted_tools": "it does not have the tools {}",
    "efforts": "it does not take the efforts {}",
}
PRICES = {"input_pico": "input price", "cached_pico": "cached input price", "output_pico": "output price"}

STRICTNESS = (Sampling.ANY, Sampling.EFFORT_NONE, Sampling.NEVER)
TIERS = ("small", "mid", "strong")


@dataclass(frozen=True, slots=True)
class Compared:
    """One fact in which two models differ. `meaning` is empty where nothing is lost by it."""

    old: str
    new: str
    what: str
    before: str
    after: str
    meaning: str = ""

    def as_dict(self) -> dict[str, str]:
        """As commands show it."""
        return asdict(self)


def compare(now: Contents, config: Configuration, models: Mapping[str, str], at: datetime) -> tuple[Compared, ...]:
    """What differs between each old model and its new one, at the prices of a time; `now` are the contents that
    `config` is. What is not known of either is told as `not known` where it is a price, and left out elsewhere."""
    tiers = {content["model_id"]: content["tier"] for content in now["model"].values()}
    return tuple(
        Compared(old, new, *each)
        for old, new in models.items()
        for each in (*_tiers(tiers.get(old, ""), tiers.get(new, "")), *_lines(config, old, new, at))
    )


Line = tuple[str, str, str, str]


def _tiers(old: str, new: str) -> Iterator[Line]:
    if old in TIERS and new in TIERS and old != new:
        weaker = "weaker: do its tasks need more?" if TIERS.index(new) < TIERS.index(old) else "made for harder tasks"
        yield "cost tier", old, new, weaker


def _lines(config: Configuration, old: str, new: str, at: datetime) -> Iterator[Line]:
    yield from _prices(config, old, new, at)
    before, after = facts_of(config, old), facts_of(config, new)
    if before.verified and after.verified:
        yield from _facts(before, after)


def _prices(config: Configuration, old: str, new: str, at: datetime) -> Iterator[Line]:
    before, after = (price_in_force(config.prices.get(model, ()), at) for model in (old, new))
    for field, name in PRICES.items():
        one, other = (getattr(price, field) if price is not None else None for price in (before, after))
        if one != other:
            yield f"{name}, $ per 1M tokens", _money(one), _money(other), _dearer(one, other)


def _money(pico: int | None) -> str:
    return "not known" if pico is None else usd_per_million(pico)


def _dearer(before: int | None, after: int | None) -> str:
    if after is None:
        return "its calls are unpriced"
    if before is None or after <= before:
        return ""
    return f"dearer: {after / before:.3g} times as much" if before else "dearer"


def _facts(old: ModelFacts, new: ModelFacts) -> Iterator[Line]:
    yield from _endpoints(old, new)
    if old.reasoning != new.reasoning:
        slower = "it thinks before it answers: slower, and billed as output" if new.reasoning else ""
        yield "reasoning", _yes(old.reasoning), _yes(new.reasoning), slower
    if old.sampling is not new.sampling:
        stricter = STRICTNESS.index(new.sampling) > STRICTNESS.index(old.sampling)
        dropped = f"temperature and the like are dropped ({new.sampling.value})" if stricter else ""
        yield "sampling", old.sampling.value, new.sampling.value, dropped
    for field, meaning in WINDOWS.items():
        one, other = getattr(old, field), getattr(new, field)
        if one is not None and other is not None and one != other:
            yield field.replace("_", " "), f"{one:,}", f"{other:,}", meaning if other < one else ""
    for field, meaning in SETS.items():
        one, other = getattr(old, field), getattr(new, field)
        if one and other and set(one) != set(other):
            lost = ", ".join(sorted(set(one) - set(other)))
            yield field.replace("_", " "), _list(one), _list(other), meaning.format(lost) if lost else ""
    if gained := new.refused_params - old.refused_params:
        text = f"{_list(gained)} of a request is dropped"
        yield "refused parameters", _list(old.refused_params), _list(new.refused_params), text
    if old.vector_space != new.vector_space or old.dimensions != new.dimensions:
        yield "vectors", _vectors(old), _vectors(new), "vectors that are stored no longer match new ones"


def _endpoints(old: ModelFacts, new: ModelFacts) -> Iterator[Line]:
    if old.endpoints == new.endpoints:
        return
    told = []
    for endpoint in sorted(old.endpoints - new.endpoints):
        translated = new.served_at(endpoint) is not None and TRANSLATED.get(endpoint)
        told.append(f"{endpoint} calls are translated to {translated}" if translated else f"no {endpoint} calls")
    yield "endpoints", _list(old.endpoints), _list(new.endpoints), "; ".join(told)


def _vectors(facts: ModelFacts) -> str:
    return f"{facts.vector_space or 'space not known'}, {facts.dimensions or 'width not known'}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _list(values: frozenset[str] | tuple[str, ...]) -> str:
    kept = values if isinstance(values, tuple) else sorted(values)
    return ", ".join(kept)
