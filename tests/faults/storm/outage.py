"""One fault at a time (faults.md 4, D and P rows): what callers get meanwhile, and what the audit says afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tests.faults.storm.arena import Arena
from tests.faults.storm.judge import SERVED, Books, plain, read
from tests.faults.storm.load import CHAT, EMBEDDINGS, PATIENCE_S, RESOLVE, RESPONSES, send
from tests.faults.storm.weather import Fault
from tests.live.ledger import eventually
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

PLAIN: tuple[tuple[str, object, str], ...] = (
    (CHAT, hello("fast"), "plain"),
    (CHAT, hello("manager", stream=True), "wide"),
    (RESPONSES, {"model": "fast", "input": "Say hello"}, "plain"),
    (EMBEDDINGS, {"model": "embedding", "input": ["one", "two"], "dimensions": 8}, "plain"),
    (RESOLVE, {"alias": "fast"}, "wide"),
    (CHAT, hello("no-such-name"), "plain"),
)
BUDGET = (CHAT, hello("fast"), "budget")
ANSWERED, NO_ANSWER = "answered", "no answer"
RECOVERY_S = 60.0


@dataclass(frozen=True)
class Row:
    """One fault. `under_way`: the calls are with the provider when it begins. `budget`: what a call on a budget gets,
    where there are two possibilities with `or` between them.

    `caller` and `audit` are what is expected, in the words of `Result`.
    """

    id: str
    title: str
    fault: Fault
    caller: str = ANSWERED
    budget: str = ANSWERED
    audit: str = "journal, then database"
    under_way: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a row: the answers, those of a budget's call, where the rows were, and what was wrong."""

    caller: str
    budget: str
    audit: str
    wrong: tuple[str, ...]


def drive(made: Arena, row: Row) -> Result:
    """Let it happen, and heal it."""
    ask_until_known(made)
    made.sandbox.plan([{"fault": {"delay_ms": 1500}}] if row.under_way else [])
    before = journaled(made)
    since = made.sandbox.state()["requests"]
    calls = [*PLAIN[:4], BUDGET] if row.under_way else [*PLAIN, *PLAIN, BUDGET]
    with ThreadPoolExecutor(len(calls)) as pool:
        if row.under_way:
            asked = [pool.submit(ask, made, call, f"{row.id}-{number}") for number, call in enumerate(calls)]
            eventually(lambda: made.sandbox.state()["open_requests"] > len(calls), "all at the provider", 30)
        with row.fault(made):
            if not row.under_way:
                asked = [pool.submit(ask, made, call, f"{row.id}-{number}") for number, call in enumerate(calls)]
            answers = [each.result() for each in asked]
    made.sandbox.clear()
    wrong = [] if is_back(made) else ["not back in time"]
    eventually(lambda: not open_ones(made), "the end of every decision", 60)
    wait_for_heartbeats(made)
    books = read(made)
    wrong += list(checked(made, books, answers, since))
    audit = "journal, then database" if journaled(made) > before else "database"
    budget = words(answers[-1:])
    return Result(
        words(answers[:-1]), row.budget if budget in row.budget.split(" or ") else budget, audit, tuple(wrong)
    )


def ask(made: Arena, call: tuple[str, object, str], ident: str) -> Raw:
    """One call."""
    path, body, key = call
    headers = {"host": "127.0.0.1", "authorization": f"Bearer {made.database.keys[key]}", "x-request-id": ident}
    if key == "wide":
        headers["x-iw-project"] = "north"
    if key == "budget":
        headers["x-iw-run-id"] = ident
    return send(made.service.url, raw.request_bytes(path, body, **headers), PATIENCE_S)


def ask_until_known(made: Arena) -> None:
    """Both workers answer, and know every key."""
    for call in (*PLAIN, BUDGET) * 2:
        eventually(partial(_is_answered, made, call), "a healthy service", RECOVERY_S)


def _is_answered(made: Arena, call: tuple[str, object, str]) -> bool:
    return ask(made, call, "known").status in (200, 404)


def words(answers: Sequence[Raw]) -> str:
    """The answers in short: `answered` for those that are as without the fault."""
    return ", ".join(sorted({_word(got) for got in answers}))


def _word(got: Raw) -> str:
    if not got.headers:
        return NO_ANSWER
    if got.status in (200, 404) and got.whole:
        broken = b"audit_unavailable" in got.body
        return "cut by an error event" if broken else ANSWERED
    with suppress(ValueError, KeyError, TypeError):
        return f"{got.status} {got.error['code']}"
    return str(got.status)


def checked(made: Arena, books: Books, answers: Sequence[Raw], since: int) -> Iterator[str]:
    """Every answer has its record, and the provider saw nothing that has none."""
    for got in answers:
        ident = plain(got.headers.get("x-iw-decision-id", ""))
        if _word(got) == ANSWERED and ident and got.status == 200:
            results = [row["result"] for row in books.outcomes.get(ident, ()) if row["origin"] == "server"]
            if results not in ([result] for result in (*SERVED, "resolved")):
                yield f"decision {ident} was answered, its outcomes are {results}"
    for line in made.sandbox.requests(since):
        name, _, seq = str(line["client_request_id"]).rpartition("-")
        if plain(name) not in books.decisions:
            yield f"the provider was called as {line['client_request_id']}, which has no decision"
        origins = Counter(row["origin"] for row in books.outcomes[plain(name)])
        if origins["server"] and not any(row["seq"] == int(seq) for row in books.attempts[plain(name)]):
            yield f"the provider was called as {line['client_request_id']}, which has no attempt"


def is_back(made: Arena) -> bool:
    """Whether both workers write to the database again, in time."""
    until = time.monotonic() + RECOVERY_S
    in_row = 0
    while time.monotonic() < until:
        state = made.readyz()
        good = not state.get("faults", ["none"]) and state["audit"].get("mode", "database") == "database"
        in_row = in_row + 1 if good and not state["audit"]["queued"] else 0
        if in_row == 8:
            return True
        time.sleep(0.02)
    return False


def wait_for_heartbeats(made: Arena) -> None:
    """Both workers have told how they are since now."""
    before = heartbeats(made)
    eventually(lambda: all(heartbeats(made).get(name) != at for name, at in before.items()), "the heartbeats", 60)


def heartbeats(made: Arena) -> dict[int, str]:
    """When the writer of each worker last told, by process id."""
    running = made.workers()
    rows = made.database.query("SELECT pid, heartbeat_at AS at FROM iwrouting_writer WHERE ended_at IS NULL")
    return {row["pid"]: str(row["at"]) for row in rows if row["pid"] in running}


def journaled(made: Arena) -> int:
    """How many rows have gone by the journals so far, as the live writers last told."""
    return int(made.database.query("SELECT sum(journaled_rows) AS n FROM iwrouting_writer")[0]["n"] or 0)


def open_ones(made: Arena) -> int:
    """How many decisions have no outcome."""
    return int(
        made.database.query(
            "SELECT count(*) AS n FROM iwrouting_decision d "
            "WHERE NOT EXISTS (SELECT 1 FROM iwrouting_outcome o WHERE o.decision_id = d.id)"
        )[0]["n"]
    )
