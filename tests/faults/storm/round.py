"""One round: load and faults side by side for so many seconds, then everything is healed and judged."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.storm.arena import Arena, arena
from tests.faults.storm.databases import Database
from tests.faults.storm.load import TROUBLE, Call, Load
from tests.faults.storm.schedule import Event, Schedule, schedule
from tests.faults.storm.watch import Watch
from tests.live.processes import ServiceProcess
from tests.sandbox import raw

RECOVERY_S = 60.0
"""How long a recovery is waited for before it counts as none."""

TOLD_TWICE = 6
"""So many answers in a row must say that the database takes rows: both workers are among them, very likely."""


@dataclass(frozen=True)
class Happened:
    """A fault as it was: when it began, ended and was recovered from, by the monotonic clock; None: never."""

    name: str
    began: float
    ended: float
    recovered: float | None


@dataclass
class Seen:
    """What a round has to tell; `wrong` must be empty."""

    seed: int
    database: str
    calls: list[Call] = field(default_factory=list)
    database_faults: list[Happened] = field(default_factory=list)
    process_faults: list[Happened] = field(default_factory=list)
    sessions: int = 0
    idle: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def recoveries(self) -> list[float]:
        """Seconds from the end of a database's fault to the first whole recovery; disturbed ones left out."""
        return [
            fault.recovered - fault.ended
            for fault in self.database_faults
            if fault.recovered is not None and not self._is_disturbed(fault)
        ]

    def _is_disturbed(self, fault: Happened) -> bool:
        """Whether a process was killed, stopped or started while it recovered."""
        end = fault.recovered or time.monotonic()
        return any(other.began < end and other.ended > fault.ended - 6 for other in self.process_faults)


def play(database: Database, work: Path, seed: int, seconds: float, *, callers: int = 6) -> tuple[Arena, Seen]:
    """One round on a fresh database; the service has ended, with the code that `counts` says, when this returns."""
    plan = schedule(seed, database.name, seconds)
    seen = Seen(seed, database.name)
    with arena(database, work, f"storm_{seed}") as made:
        made.sandbox.plan(TROUBLE)
        load = Load(made, seed, made.folder / "client.jsonl", callers)
        watch = Watch(made.database)
        watch.start()
        load.start()
        _rage(made, plan, seen)
        load.stop()
        settle(made, seen)
        watch.stop()
        seen.sessions, seen.idle = watch.most, watch.idle
        seen.calls = load.calls
        seen.wrong += load.wrong
        seen.counts["exit code"] = made.terminate()
        return made, seen


def _rage(made: Arena, plan: Schedule, seen: Seen) -> None:
    start = time.monotonic()
    lanes = [
        threading.Thread(target=_lane, args=(made, start, plan, plan.database, seen.database_faults, seen)),
        threading.Thread(target=_lane, args=(made, start, plan, plan.process, seen.process_faults, seen)),
    ]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    time.sleep(max(0.0, start + plan.seconds - time.monotonic()))


def _lane(
    made: Arena, start: float, plan: Schedule, events: Sequence[Event], found: list[Happened], seen: Seen
) -> None:
    """Let the events of one lane happen in turn. What a fault can't do is a fault of the round."""
    for event in events:
        time.sleep(max(0.0, start + event.at_s - time.monotonic()))
        if time.monotonic() > start + plan.seconds:
            return
        began = time.monotonic()
        try:
            with event.kind.fault(made):
                time.sleep(event.for_s)
        except Exception as error:
            seen.wrong.append(f"{event.kind.name}: {type(error).__name__}: {error}")
        ended = time.monotonic()
        recovered = recovery(made) if events is plan.database else ended
        found.append(Happened(event.kind.name, began, ended, recovered))


def recovery(made: Arena) -> float | None:
    """When the service answered calls and stored them in the database again; None: not within RECOVERY_S."""
    until = time.monotonic() + RECOVERY_S
    since, told = 0.0, 0
    while time.monotonic() < until:
        now = time.monotonic()
        if is_whole(made.service, made.database.keys["plain"]):
            since, told = (since or now), told + 1
            if told == TOLD_TWICE:
                return since
        else:
            since, told = 0.0, 0
        time.sleep(0.05)
    return None


def is_whole(service: ServiceProcess, key: str) -> bool:
    """Whether a call is answered and its worker says that it writes to the database, with nothing left to replay."""
    try:
        status, state = service.get("/readyz")
        got = raw.post(service.url, "/v1/embeddings", {"model": "embedding", "input": "a", "dimensions": 8}, 5,
                       host="127.0.0.1", authorization=f"Bearer {key}")  # fmt: skip
    except (OSError, ValueError):
        return False
    return status == 200 and got.status == 200 and state["audit"].get("mode", "database") == "database"


def settle(made: Arena, seen: Seen) -> None:
    """Wait until every decision is closed and every journal is empty, as it must come to be by itself."""
    until = time.monotonic() + RECOVERY_S
    while (left := still_open(made)) and time.monotonic() < until:
        time.sleep(0.3)
    seen.wrong += left


def still_open(made: Arena) -> list[str]:
    """What is not at its end: decisions without an outcome, records in journals, calls at the provider."""
    open_ones = made.database.query(
        "SELECT count(*) AS n FROM iwrouting_decision d "
        "WHERE NOT EXISTS (SELECT 1 FROM iwrouting_outcome o WHERE o.decision_id = d.id)"
    )[0]["n"]
    left = [f"{open_ones} decisions are open"] if open_ones else []
    state = made.readyz().get("audit", {})
    if state.get("mode", "database") != "database" or state.get("queued"):
        left.append(f"a worker still says {state}")
    if made.sandbox.state()["open_requests"] > 1:
        left.append("calls are open at the provider")
    return left
