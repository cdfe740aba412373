"""Processes that are killed or stopped: every upstream call has its decision, every decision is closed, and once.

Faults at each single step, and long random runs, are for tests/faults.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from iwrouting.audit import DECISION, OUTCOME, Row, finish_row, make_key, new_id, new_id_at
from iwrouting.audit.journal.records import encode
from iwrouting.audit.journal.segments import Segment
from iwrouting.audit.writing.numbers import Numbers
from iwrouting.audit.writing.units import Unit
from iwrouting.models import Attempt, Decision, Outcome, Writer
from tests.live.databases import ALIAS
from tests.live.ledger import eventually, view
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"
SWEPT_S = 60.0
"""Within so long all is closed (docs/processes.md): a writer counts as dead, the database has been there for as long, a
sweep comes by."""

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def pair(live: Live) -> ServiceProcess:
    """Two workers that soon give up on a dead one, the same for all of these tests.

    Their journals stand apart: other services beat too seldom for them, and would be taken for dead.
    """
    apart = str(journals(live))
    service = live.world.other_service("crashing", workers=2, IW_WRITER_DEAD_S="3", IW_JOURNAL_DIR=apart)
    live.introduce(live.home.key, service.url)
    eventually(lambda: len(service.children()) == 2, "the second worker", 10)
    return service


def journals(live: Live) -> Path:
    return live.world.folder / "crashing"


def asking(live: Live) -> Callable[[ServiceProcess], Raw]:
    """One call of this test's run, for threads; what came, nothing where the connection broke."""
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}

    def ask(service: ServiceProcess) -> Raw:
        with suppress(OSError):
            return raw.post(service.url, CHAT, hello("fast"), 20, **headers)
        return Raw()

    return ask


def outcomes(live: Live) -> dict[str, list[tuple[str, str]]]:
    """Origin and result of each outcome of this test's run, by decision; none for an open one."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in Decision.objects.using(ALIAS).filter(run_id=live.run).values("id"):
        found[str(row["id"])] = []
    rows = Outcome.objects.using(ALIAS).filter(decision_id__in=found).order_by("origin")
    for ident, origin, result in rows.values_list("decision_id", "origin", "result"):
        found[str(ident)].append((origin, result))
    return found


def open_calls(live: Live, service: ServiceProcess, pool: ThreadPoolExecutor, number: int) -> Writer:
    """Make calls that no provider answers yet; the writer with the most of them."""
    ask = asking(live)
    for _ in range(number):
        pool.submit(ask, service)
    eventually(lambda: live.sandbox.state()["open_requests"] == number + 1, "every request at the provider")
    made = list(Decision.objects.using(ALIAS).filter(run_id=live.run).values_list("writer_id", flat=True))
    return Writer.objects.using(ALIAS).get(id=max(made, key=made.count))


def of_writer(live: Live, writer: Writer) -> set[str]:
    rows = Decision.objects.using(ALIAS).filter(run_id=live.run, writer_id=writer.id)
    return {str(ident) for ident in rows.values_list("id", flat=True)}


def counted(ident: str) -> dict[str, Any]:
    """A decision as the reports count it: once."""
    [row] = view("rpt_decisions_v1", ident)
    return row


def test_killed_worker__has_its_open_calls_closed_by_its_sibling_and_no_others(
    live: Live, pair: ServiceProcess
) -> None:
    live.sandbox.plan([{"fault": {"delay_ms": 4000}}])
    with ThreadPoolExecutor(8) as pool:
        victim = open_calls(live, pair, pool, 8)
        orphans = of_writer(live, victim)
        os.kill(victim.pid, signal.SIGKILL)
        eventually(lambda: all(outcomes(live)[ident] for ident in orphans), "the end of what was left", SWEPT_S)
        found = outcomes(live)
        assert {tuple(found.pop(ident)) for ident in orphans} == {(("sweeper", "interrupted"),)}
        assert all(each in ([], [("server", "ok")]) for each in found.values()), "a living worker's are its own"
        eventually(lambda: Writer.objects.using(ALIAS).get(id=victim.id).swept_at, "the note that it is swept")
        eventually(lambda: len(pair.children()) == 2, "the next worker", 10)
        live.sandbox.clear()
        assert asking(live)(pair).status == 200
    row = counted(orphans.pop())
    assert (row["origin"], row["result"], row["cost_state"], row["attempts"]) == (
        "sweeper",
        "interrupted",
        "unpriced",
        0,
    )
    assert row["prompt_tokens"] is row["cost_pico"] is None


def test_stopped_worker_that_wakes__stores_its_own_outcomes_beside_and_nothing_counts_twice(
    live: Live, pair: ServiceProcess
) -> None:
    live.sandbox.plan([{"fault": {"delay_ms": 1000}}])
    with ThreadPoolExecutor(8) as pool:
        sleeper = open_calls(live, pair, pool, 8)
        os.kill(sleeper.pid, signal.SIGSTOP)
        try:
            theirs = of_writer(live, sleeper)
            eventually(lambda: all(outcomes(live)[ident] for ident in theirs), "the sweep", SWEPT_S)
            assert [("sweeper", "interrupted")] in [outcomes(live)[ident] for ident in theirs]
        finally:
            os.kill(sleeper.pid, signal.SIGCONT)
    both = [("server", "ok"), ("sweeper", "interrupted")]
    eventually(lambda: both in outcomes(live).values(), "the late outcome")
    eventually(lambda: all(("server", "ok") in each for each in outcomes(live).values()), "every outcome")
    assert all(each in ([("server", "ok")], both) for each in outcomes(live).values())
    assert {(counted(ident)["origin"], counted(ident)["attempts"]) for ident in theirs} == {("server", 1)}

    def is_back() -> bool:
        row = Writer.objects.using(ALIAS).get(id=sleeper.id)
        return row.swept_at is row.ended_at is None and row.heartbeat_at > sleeper.heartbeat_at

    eventually(is_back, "its heartbeat")
    assert sleeper.pid in pair.children()
    before = len(of_writer(live, sleeper))
    live.sandbox.clear()
    eventually(lambda: asking(live)(pair).status and len(of_writer(live, sleeper)) > before, "a call that it takes", 15)
    assert numbers_are_whole(sleeper)


def numbers_are_whole(writer: Writer) -> bool:
    """Whether no number of a writer's chain is missing or there twice."""
    tables = (model.objects.using(ALIAS).filter(writer_id=writer.id) for model in (Decision, Attempt, Outcome))
    found = sorted(number for rows in tables for number in rows.values_list("writer_seq", flat=True))
    return found == list(range(1, len(found) + 1))


def test_service_killed_under_load__leaves_nothing_open_after_its_restart(live: Live, pair: ServiceProcess) -> None:
    """Workers are killed at random moments, in the end all processes at once."""
    seed = Random(live.run).randrange(1 << 32)  # noqa: S311 - when to kill is no secret
    chance = Random(seed)  # noqa: S311
    live.sandbox.plan([{"fault": {"delay_ms": 30}}])
    ask, stop = asking(live), threading.Event()
    answered: list[str] = []

    def call_on() -> None:
        while not stop.is_set():
            got = ask(pair)
            if got.status == 200 and got.whole:
                answered.append(got.headers["x-iw-decision-id"])

    assert pair.process is not None
    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            pool.submit(call_on)
        try:
            eventually(lambda: len(answered) > 5, "the first answers", 15)
            for _ in range(2):
                stop.wait(0.2 + chance.random())
                with suppress(ProcessLookupError, IndexError):
                    os.kill(chance.choice(pair.children()), signal.SIGKILL)
            stop.wait(0.5 + chance.random())
            os.killpg(pair.process.pid, signal.SIGKILL)
        finally:
            stop.set()
    pair.process.wait()
    pair.start()
    eventually(lambda: len(pair.children()) == 2, "both workers", 10)
    eventually(lambda: all(outcomes(live).values()), f"the end of every decision (seed {seed})", SWEPT_S)
    found = outcomes(live)
    assert all(len(each) == 1 for each in found.values()), seed
    assert {tuple(found[ident]) for ident in answered} == {(("server", "ok"),)}, "answered is recorded"
    sent = {str(line["client_request_id"]).rpartition("-")[0] for line in live.sent()}
    assert sent <= set(found), "no call without its decision"


def test_journal_of_a_dead_process__is_replayed_and_what_it_left_open_is_closed(
    live: Live, pair: ServiceProcess
) -> None:
    """A process that never reached the database while it lived: no row tells of it, only its file."""
    writer = new_id()
    ended, left = decided(live), decided(live)
    outcome = finish_row(
        OUTCOME,
        {
            "id": new_id(),
            "decision_id": ended["id"],
            "decision_at": ended["decision_at"],
            "ended_at": ended["decision_at"],
            "origin": "server",
            "result": "ok",
            "model_served": "gpt-4.1",
            "upstream_served": "sandbox",
            "cost_state": "unpriced",
        },
    )
    units = [Unit([(DECISION, ended)]), Unit([(OUTCOME, outcome)]), Unit([(DECISION, left)])]
    numbers = Numbers(writer, make_key(live.world.env["IW_SECRET_KEY"]))
    for unit in units:
        numbers.give(unit.rows)
    path = journals(live) / f"{writer}.1.journal"
    whole = path.with_suffix(".made")
    segment = Segment.create(whole, writer_id=writer, key_id=numbers.key.id)
    segment.append(encode(units))
    segment.close()
    # It appears at once, and unlocked: as a dead process leaves it.
    whole.rename(path)
    eventually(lambda: len(outcomes(live)) == 2 and all(outcomes(live).values()), "both ends", SWEPT_S)
    assert outcomes(live) == {ended["id"]: [("server", "ok")], left["id"]: [("sweeper", "interrupted")]}
    assert not path.exists()
    eventually(lambda: Writer.objects.using(ALIAS).get(id=writer).swept_at, "the note that it is swept")
    assert numbers_are_whole(Writer.objects.using(ALIAS).get(id=writer))


def decided(live: Live) -> Row:
    """A decision of this test's run, as a writer takes it."""
    ident, at = new_id_at()
    versions = dict.fromkeys(("environment_id", "catalogue_version", "rules_version", "app_version"), "-")
    named = {"id": ident, "decision_at": at, "run_id": live.run, "endpoint": "chat", "revision": 1}
    return finish_row(DECISION, named | versions)
