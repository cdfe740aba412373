"""One round: load and faults side by side for so many seconds, then everything is healed and judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.faults.storm.arena import Arena, arena
from tests.faults.storm.databases import Database
from tests.faults.storm.judge import judge
from tests.faults.storm.load import TROUBLE, Load
from tests.faults.storm.schedule import Event, Schedule, schedule
from tests.faults.storm.seen import Happened, Seen
from tests.faults.storm.watch import Watch

RECOVERY_S = 60.0
"""How long a recovery is waited for before it counts as none."""

TOLD_TWICE = 6
"""So many answers in a row must say that the database takes rows: both workers are among them, very likely."""

COUNTS = {
    "decisions": "SELECT count(*) AS n FROM iwrouting_decision",
    "journaled rows": "SELECT sum(journaled_rows) AS n FROM iwrouting_writer",
    "swept": "SELECT count(*) AS n FROM iwrouting_outcome WHERE origin = 'sweeper'",
    "quarantined": "SELECT count(*) AS n FROM iwrouting_quarantinedrow",
    "processes": "SELECT count(*) AS n FROM iwrouting_writer",
}


def play(database: Database, work: Path, seed: int, seconds: float, *, callers: int = 6) -> Seen:
    """One round on a fresh database, and its verdict: `wrong` must be empty."""
    plan = schedule(seed, database.name, seconds)
    seen = Seen(seed, database.name)
    with arena(database, work, f"storm_{seed}") as made:
        made.sandbox.plan(TROUBLE)
        load = Load(made, seed, callers)
        watch = Watch(made.database)
        watch.start()
        load.start()
        _rage(made, load, plan, seen)
        load.stop()
        settle(made, seen)
        watch.stop()
        seen.sessions, seen.idle = watch.most, watch.idle
        seen.calls = load.calls
        count(made, seen)
        seen.wrong += [*load.wrong, *ended(made), *judge(made, seen)]
        return seen


def count(made: Arena, seen: Seen) -> None:
    """What the audit says of itself."""
    for name, sql in COUNTS.items():
        seen.counts[name] += int(made.database.query(sql)[0]["n"] or 0)


def ended(made: Arena) -> Iterator[str]:
    """End the service as an operator does."""
    code = made.terminate()
    if code:
        yield f"SIGTERM ended with {code}: {made.words()[-1500:]}"


def _rage(made: Arena, load: Load, plan: Schedule, seen: Seen) -> None:
    start = time.monotonic()
    lanes = [
        threading.Thread(target=_lane, args=(made, load, start, plan, plan.database, seen.database_faults, seen)),
        threading.Thread(target=_lane, args=(made, load, start, plan, plan.process, seen.process_faults, seen)),
    ]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    time.sleep(max(0.0, start + plan.seconds - time.monotonic()))


def _lane(
    made: Arena, load: Load, start: float, plan: Schedule, events: Sequence[Event], found: list[Happened], seen: Seen
) -> None:
    """Let the events of one lane happen in turn. What a fault can't do is a fault of the round."""
    for event in events:
        time.sleep(max(0.0, start + event.at_s - time.monotonic()))
        if time.monotonic() > start + plan.seconds:
            return
        if events is plan.database:
            happened = _befall(made, event, seen)
            with made.calm:
                happened = replace(happened, recovered=recovery(made, load))
        else:
            with made.calm:
                happened = _befall(made, event, seen)
        found.append(happened)


def _befall(made: Arena, event: Event, seen: Seen) -> Happened:
    began = time.monotonic()
    try:
        with event.kind.fault(made):
            time.sleep(event.for_s)
    except Exception as error:
        seen.wrong.append(f"{event.kind.name}: {type(error).__name__}: {error}")
    ended = time.monotonic()
    return Happened(event.kind.name, began, ended, ended)


def recovery(made: Arena, load: Load) -> float | None:
    """When the service answered calls and stored them in the database again; None: not within RECOVERY_S."""
    until = time.monotonic() + RECOVERY_S
    since, told = 0.0, 0
    while time.monotonic() < until:
        now = time.monotonic()
        if is_whole(made, load):
            since, told = (since or now), told + 1
            if told == TOLD_TWICE:
                return since
        else:
            since, told = 0.0, 0
        time.sleep(0.05)
    return None


def is_whole(made: Arena, load: Load) -> bool:
    """Whether a call is answered and a worker says that it writes to the database, with nothing left to replay."""
    state = made.readyz()
    if state.get("faults", ["none"]) or state["audit"].get("mode", "database") != "database":
        return False
    return load.probe().status == 200


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
    writers = made.database.query("SELECT pid FROM iwrouting_writer WHERE ended_at IS NULL AND swept_at IS NULL")
    dead = {writer["pid"] for writer in writers} - set(made.workers())
    left += [f"{len(dead)} writers wait to be swept"] if dead else []
    state = made.readyz().get("audit", {})
    if state.get("mode", "database") != "database" or state.get("queued"):
        left.append(f"a worker still says {state}")
    if made.sandbox.state()["open_requests"] > 1:
        left.append("calls are open at the provider")
    return left
