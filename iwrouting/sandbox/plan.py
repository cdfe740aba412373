"""A plan: rules that say which requests get which fault, with counters (docs/sandbox.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.faults import COUNT, FLAG, LIST, TEXT, BadPlan, Check, Fault, number, record, word
from iwrouting.sandbox.presets import named

ENDPOINTS = ("chat", "responses", "embeddings", "models")
ACTIONS = ("create", "list", "get", "cancel", "delete")


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a rule is for: all that is set must hold. Models and header values may hold `*` and `?`."""

    model: tuple[str, ...] = ()
    endpoint: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool | None = None
    action: tuple[str, ...] = ()

    def fits(self, endpoint: str, action: str, model: str | None, stream: bool, headers: Mapping[str, str]) -> bool:
        """Whether a request is one of them."""
        if (self.endpoint and endpoint not in self.endpoint) or (self.action and action not in self.action):
            return False
        if self.model and not any(fnmatchcase(model or "", pattern) for pattern in self.model):
            return False
        if self.stream is not None and stream is not self.stream:
            return False
        return all(fnmatchcase(headers.get(name, ""), pattern) for name, pattern in self.headers.items())


@dataclass(slots=True)
class Rule:
    """A match, what happens to its requests in turn, and how often it matched and applied.

    `sequence` holds one entry a request, None for a normal answer; without `cycle` the last entry ends the rule.
    """

    match: Match
    sequence: tuple[Fault | None, ...]
    after: int = 0
    times: int | None = None
    cycle: bool = False
    matched: int = 0
    applied: int = 0

    def take(self) -> tuple[bool, Fault | None]:
        """Counts one match; whether the rule decides about this request, and with which fault."""
        self.matched += 1
        turn = self.matched - self.after - 1
        if turn < 0 or (self.times is not None and turn >= self.times):
            return False, None
        if turn >= len(self.sequence) and not self.cycle:
            return False, None
        fault = self.sequence[turn % len(self.sequence)]
        self.applied += fault is not None
        return True, fault


class Plan:
    """The rules in force; the first that decides about a request wins."""

    def __init__(self, source: Json | None = None) -> None:
        self.source: Json = {"rules": []} if source is None else source
        record(self.source, "plan", {"rules": LIST}, ("rules",))
        self.rules = [rule_of(value, f"rules[{i}]") for i, value in enumerate(self.source["rules"])]

    def choose(
        self, endpoint: str, action: str, model: str | None, stream: bool, headers: Mapping[str, str]
    ) -> Fault | None:
        """The fault for one request, None for a normal answer; counts it."""
        for rule in self.rules:
            if rule.match.fits(endpoint, action, model, stream, headers):
                decided, fault = rule.take()
                if decided:
                    return fault
        return None

    def as_dict(self) -> Json:
        """The plan as given, each rule with its counters."""
        pairs = zip(self.source["rules"], self.rules, strict=True)
        return {"rules": [{**given, "matched": r.matched, "applied": r.applied} for given, r in pairs]}


def names(*allowed: str) -> Check:
    """A check for one string or an array of them, each one of `allowed` (none given: any)."""

    def check(value: Any, where: str) -> tuple[str, ...]:
        one = word(*allowed) if allowed else TEXT
        if isinstance(value, list):
            return tuple(one(item, f"{where}[{i}]") for i, item in enumerate(value))
        return (one(value, where),)

    return check


def header_patterns(value: Any, where: str) -> dict[str, str]:
    """The `headers` of a match, names in lower case."""
    if not isinstance(value, dict):
        raise BadPlan(where, "expected an object")
    return {name.lower(): TEXT(pattern, f"{where}.{name}") for name, pattern in value.items()}


MATCH: dict[str, Check] = {
    "model": names(),
    "endpoint": names(*ENDPOINTS),
    "headers": header_patterns,
    "stream": FLAG,
    "action": names(*ACTIONS),
}


def match_of(value: Any, where: str) -> Match:
    """The `match` of a rule."""
    return Match(**record(value, where, MATCH))


def faults_of(value: Any, where: str) -> tuple[Fault | None, ...]:
    """The `sequence` of a rule: faults, preset names, and null."""
    items = LIST(value, where)
    if not items:
        raise BadPlan(where, "empty")
    return tuple(None if item is None else named(item, f"{where}[{i}]") for i, item in enumerate(items))


def times_of(value: Any, where: str) -> int | None:
    """How many times a fault applies; null for always."""
    return None if value is None else number(1, 1_000_000_000)(value, where)


RULE: dict[str, Check] = {
    "match": match_of,
    "fault": named,
    "sequence": faults_of,
    "after": COUNT,
    "times": times_of,
    "cycle": FLAG,
}


def rule_of(value: Any, where: str) -> Rule:
    """One rule. BadPlan: it holds neither or both of `fault` and `sequence`, or something unusable."""
    given = record(value, where, RULE)
    if ("fault" in given) == ("sequence" in given):
        raise BadPlan(where, "give either fault or sequence")
    single = "fault" in given
    return Rule(
        match=given.get("match", Match()),
        sequence=(given["fault"],) if single else given["sequence"],
        after=given.get("after", 0),
        times=given.get("times"),
        cycle=single or given.get("cycle", False),
    )
