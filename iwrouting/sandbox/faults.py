"""A fault: what the sandbox does wrong to one answer, as a plan writes it down (docs/sandbox.md has the table)."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import json_kind, listed

UNSET: Any = object()
"""Stands where null is a value of its own."""


class BadPlan(ValueError):
    """A plan that can't be used; `where` is the path of the member at fault."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where


@dataclass(frozen=True, slots=True)
class Injected:
    """Bytes put into a stream after so many events."""

    after_events: int
    raw: str


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """An error event after so many events, which ends the stream. `form`: `plain`, `nested` or `failed` (responses)."""

    events: int
    error: Json
    form: str = "plain"


@dataclass(frozen=True, slots=True)
class Drip:
    """From so many events on: so many bytes at a time, with this wait before each."""

    bytes: int = 1
    every_ms: int = 1000
    after_events: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; members that are not set do nothing. Times in milliseconds."""

    name: str = ""
    status: int | None = None
    body: Any = UNSET
    headers: dict[str, str] = field(default_factory=dict)
    raw_body: str | None = None
    content_type: str | None = None
    raw_bytes: str | None = None
    redirect: str | None = None
    mode: str | None = None
    delay_ms: int = 0
    first_event_delay_ms: int = 0
    event_delay_ms: int = 0
    split_bytes: int | None = None
    drip: Drip | None = None
    pad_bytes: int = 0
    gzip: str | None = None
    no_answer: bool = False
    reset: bool = False
    reset_after_headers: bool = False
    cut_after_bytes: int | None = None
    cut_after_events: int | None = None
    clean_end: bool = False
    reset_after_bytes: int | None = None
    reset_after_events: int | None = None
    stall_after_bytes: int | None = None
    stall_after_events: int | None = None
    no_done: bool = False
    drop_usage: bool = False
    error_event_after_events: ErrorEvent | None = None
    malformed_after_events: int | None = None
    inject: tuple[Injected, ...] = ()
    keepalive_every: int | None = None
    no_deltas: str | None = None
    tool_index: str | None = None
    endless: bool = False
    usage: Any = UNSET
    usage_place: str | None = None
    response_id: Any = UNSET
    served_model: Any = UNSET
    finish: str | None = None
    failed: Json | None = None
    refusal: bool = False
    echo_key: bool = False
    embeddings: str | None = None
    background_ms: int | None = None
    background_polls: int | None = None

    @property
    def answers(self) -> bool:
        """Whether the fault is the whole answer, so that the request itself is not looked at."""
        return self.status is not None or self.raw_body is not None or self.redirect is not None or self.silent

    @property
    def silent(self) -> bool:
        """Whether no HTTP answer comes at all."""
        return self.no_answer or self.reset or self.raw_bytes is not None

    @property
    def label(self) -> str:
        """The name for the log: the one given, else the members that are set."""
        if self.name:
            return self.name
        blank = Fault()
        parts = []
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "headers" and value is not getattr(blank, item.name) and value != getattr(blank, item.name):
                shown = isinstance(value, int) and not isinstance(value, bool)
                parts.append(f"{item.name} {value}" if shown else item.name)
        return ", ".join(parts)[:120]


Check = Callable[[Any, str], Any]


def typed(*kinds: type, name: str) -> Check:
    """A check that lets only these types through."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise BadPlan(where, f"expected {name}, got {json_kind(value)}")
        return value

    return check


def number(low: int, high: int) -> Check:
    """A check for an integer within bounds."""

    def check(value: Any, where: str) -> int:
        found: int = typed(int, name="an integer")(value, where)
        if not low <= found <= high:
            raise BadPlan(where, f"expected {low} to {high}, got {found}")
        return found

    return check


def word(*allowed: str) -> Check:
    """A check for a word out of a list."""

    def check(value: Any, where: str) -> str:
        if value not in allowed:
            raise BadPlan(where, f"expected one of {listed(allowed)}, got {value!r}")
        return str(value)

    return check


def anything(value: Any, _where: str) -> Any:
    """A member that may be any JSON value, null included."""
    return value


TEXT, FLAG = typed(str, name="a string"), typed(bool, name="a boolean")
OBJECT, LIST = typed(dict, name="an object"), typed(list, name="an array")
COUNT, MILLISECONDS = number(0, 1_000_000_000), number(0, 3_600_000)


def headers_of(value: Any, where: str) -> dict[str, str]:
    """Response headers: names and values as strings, without line ends."""
    for name, text in OBJECT(value, where).items():
        if "\n" in name + TEXT(text, f"{where}.{name}") or "\r" in name + text:
            raise BadPlan(f"{where}.{name}", "a header holds no line end; use raw_bytes for a broken answer")
    return {name.lower(): text for name, text in value.items()}


def record(value: Any, where: str, checks: dict[str, Check], needed: tuple[str, ...] = ()) -> Json:
    """An object with only known members, each checked; BadPlan names the nearest known one."""
    OBJECT(value, where)
    for name in value:
        if name not in checks:
            near = difflib.get_close_matches(str(name), checks, n=1)
            raise BadPlan(f"{where}.{name}", "unknown" + (f"; did you mean '{near[0]}'?" if near else ""))
    for name in needed:
        if name not in value:
            raise BadPlan(f"{where}.{name}", "missing")
    return {name: checks[name](item, f"{where}.{name}") for name, item in value.items()}


def injections(value: Any, where: str) -> tuple[Injected, ...]:
    """The `inject` list."""
    checks = {"after_events": COUNT, "raw": TEXT}
    items = enumerate(LIST(value, where))
    return tuple(Injected(**record(item, f"{where}[{i}]", checks, ("after_events", "raw"))) for i, item in items)


def error_event(value: Any, where: str) -> ErrorEvent:
    """The `error_event_after_events` object."""
    checks = {"events": COUNT, "error": OBJECT, "form": word("plain", "nested", "failed")}
    return ErrorEvent(**record(value, where, checks, ("events", "error")))


def drip(value: Any, where: str) -> Drip:
    """The `drip` object."""
    checks = {"bytes": number(1, 1_000_000), "every_ms": MILLISECONDS, "after_events": COUNT}
    return Drip(**record(value, where, checks))


CHECKS: dict[str, Check] = {
    "name": TEXT,
    "status": number(200, 599),
    "body": anything,
    "headers": headers_of,
    "raw_body": TEXT,
    "content_type": TEXT,
    "raw_bytes": TEXT,
    "redirect": TEXT,
    "mode": word("json", "sse"),
    "delay_ms": MILLISECONDS,
    "first_event_delay_ms": MILLISECONDS,
    "event_delay_ms": MILLISECONDS,
    "split_bytes": number(1, 1_000_000_000),
    "drip": drip,
    "pad_bytes": COUNT,
    "gzip": word("whole", "truncated", "false"),
    "no_answer": FLAG,
    "reset": FLAG,
    "reset_after_headers": FLAG,
    "cut_after_bytes": COUNT,
    "cut_after_events": COUNT,
    "clean_end": FLAG,
    "reset_after_bytes": COUNT,
    "reset_after_events": COUNT,
    "stall_after_bytes": COUNT,
    "stall_after_events": COUNT,
    "no_done": FLAG,
    "drop_usage": FLAG,
    "error_event_after_events": error_event,
    "malformed_after_events": COUNT,
    "inject": injections,
    "keepalive_every": number(1, 1_000_000_000),
    "no_deltas": word("arguments", "text", "all"),
    "tool_index": word("missing", "repeated", "null"),
    "endless": FLAG,
    "usage": anything,
    "usage_place": word("twice", "with_choice"),
    "response_id": anything,
    "served_model": anything,
    "finish": word("stop", "length", "content_filter"),
    "failed": OBJECT,
    "refusal": FLAG,
    "echo_key": FLAG,
    "embeddings": word(
        "shuffle", "short", "long", "repeated_index", "no_index", "wrong_width", "empty", "texts", "nan", "infinite"
    ),
    "background_ms": MILLISECONDS,
    "background_polls": COUNT,
}


def fault_of(value: Any, where: str) -> Fault:
    """A fault from its JSON object. BadPlan: what can't be used."""
    return Fault(**record(value, where, CHECKS))
