"""The cookbook's traffic: who calls what at which hours of a day. No dice: the same calls each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tests.cookbook.world import ALIASES, END, KEYS, START, VARIABLES

FIRST, LAST = START.date(), END.date() - timedelta(days=1)
OUTAGE = date(2026, 11, 5)
BIG_IMPORT = date(2026, 11, 13)
CHANGES = {
    ("borealis", "manager"): (("2026-10-05T09:30", "gpt-5.1", "project_override"),),
    ("cascade", "summary"): (("2026-10-12T10:00", "gpt-6-luna", "project_override"),),
    ("borealis", "deep"): (
        ("2026-10-19T15:00", "gpt-4.1", "project_override"),
        ("2026-11-17T10:15", "gpt-5.1", "default"),
    ),
    ("atlas", "intent"): (
        ("2026-10-19T14:00", "gpt-6-luna", "default"),
        ("2026-11-02T09:00", "gpt-4.1", "project_override"),
    ),
    ("", "summary"): (("2026-11-09T09:00", "gpt-6-luna", "override"),),
}
"""What each change of the world made of an alias, for a project or for all: from when on, model, source."""

MODES = (
    ("fast", "short and simple: 4 words"),
    ("deep", "everything else: 35 words, 1 thinking word"),
    ("code", "code-heavy: 2 fenced blocks, 14 code signals"),
    ("deep", "everything else: 61 words"),
    ("code", "code-heavy: 1 fenced block, 9 code signals"),
    ("fast", "short and simple: 3 words"),
    ("research", "long: 523 words"),
)


@dataclass(frozen=True, slots=True)
class Flow:
    """Calls of one kind: an hour each (UTC), on weekdays unless `weekends`; tokens are about these."""

    key: str
    alias: str
    hours: tuple[int, ...]
    prompt: int
    answer: int
    weekends: bool = False
    stream: bool = False
    is_test: bool = False
    tags: tuple[str, ...] = ()
    run: str = ""
    model: str = ""
    resolves: bool = False
    first: date = FIRST
    last: date = LAST


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was asked for. `number`: which of all; `nth`: which of its flow that day."""

    number: int
    nth: int
    at: datetime
    flow: Flow
    run: str
    mode: str
    reason: str
    model: str
    source: str

    @property
    def project(self) -> str:
        """The project of its key."""
        return KEYS[self.flow.key][1]


FLOWS = (
    Flow("atlas backend", "auto", (9, 10, 11, 13, 14, 15, 16), 6_000, 700, stream=True),
    Flow("atlas backend", "auto", (9, 11, 14, 15), 6_000, 700, stream=True, first=date(2026, 11, 2)),
    Flow("atlas backend", "auto", (8,), 500, 50, is_test=True),
    Flow("atlas autopilot", "manager", (10,), 18_000, 2_500, run="sprint-{week}", tags=("autopilot",)),
    Flow("atlas autopilot", "worker_code", (10, 11, 15), 24_000, 4_000, run="sprint-{week}", tags=("autopilot", "ci")),
    Flow("atlas backend", "intent", (9, 13, 15), 900, 20),
    Flow("atlas backend", "alignment", (12,), 4_000, 60),
    Flow("atlas backend", "summary", (17, 17), 30_000, 600),
    Flow("atlas contractor", "summary", (12,), 9_000, 400, last=date(2026, 10, 14)),
    Flow("borealis backend", "code", (9, 14), 8_000, 1_500, stream=True, tags=("beta",)),
    Flow("borealis backend", "manager", (11,), 12_000, 1_800),
    Flow("borealis backend", "deep", (15,), 5_000, 1_200, stream=True, tags=("beta",)),
    Flow("borealis backend", "deep", (7,), 0, 0, resolves=True),
    Flow("borealis backend", "fast", (14, 16), 20_000, 200),
    Flow("borealis backend", "blueprint", (12,), 16_000, 2_000),
    Flow("borealis backend", "summary", (17,), 25_000, 500),
    Flow("cascade nightly", "summary", (2, 2, 2), 40_000, 900, weekends=True, tags=("nightly",), run="nightly-{day}"),
    Flow("cascade nightly", "embedding", (3,), 90_000, 0, weekends=True, tags=("nightly",)),
    Flow("cascade nightly", "", (4,), 10_000, 800, model="house-70b", tags=("nightly",)),
)
IMPORT = Flow(
    "cascade nightly", "summary", (18, 19, 20, 21, 22, 23), 60_000, 900, tags=("nightly", "import"), run="import-{day}"
)


def calls() -> Iterator[Call]:
    """All of them, flow by flow within a day."""
    number = 0
    for day in (FIRST + timedelta(days=days) for days in range((LAST - FIRST).days + 1)):
        for flow in (*FLOWS, *([IMPORT] if day == BIG_IMPORT else [])):
            if (day.weekday() < 5 or flow.weekends) and flow.first <= day <= flow.last:
                for nth, hour in enumerate(flow.hours):
                    number += 1
                    yield _call(number, nth, datetime.combine(day, time(hour), START.tzinfo), flow)


def _call(number: int, nth: int, hour: datetime, flow: Flow) -> Call:
    at = hour + timedelta(minutes=number * 7 % 60, seconds=number * 13 % 60, milliseconds=number * 37 % 1000)
    mode, reason = MODES[number % 7] if flow.alias == "auto" else ("", "")
    project = KEYS[flow.key][1]
    model, source = (flow.model, "explicit") if flow.model else serving(project, mode or flow.alias, at)
    run = flow.run.format(week=at.isocalendar().week, day=f"{at:%m-%d}")
    return Call(number, nth, at, flow, run, mode, reason, model, source)


def serving(project: str, alias: str, at: datetime) -> tuple[str, str]:
    """The model that the ladder gave then, and from where."""
    variable = VARIABLES.get(f"OPENAI_MODEL_{alias.upper()}")
    found = (variable, "environment") if variable else (ALIASES[alias][1], "default")
    for scope in ("", project):
        for since, model, source in CHANGES.get((scope, alias), ()):
            if at >= datetime.fromisoformat(f"{since}+00:00"):
                found = (model, source)
    return found
