"""Judges a round when all is healed: client, provider and audit tell the same, and the audit is whole (G1, G3)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from iwrouting.reports.invariants import invariants
from tests.faults.storm.arena import WORKERS, Arena
from tests.faults.storm.databases import Row
from tests.faults.storm.load import Call
from tests.faults.storm.seen import Seen
from tests.faults.storm.watch import CAP_A_WORKER

SERVED = ("ok", "ok_after_fallback")
CUT = {"interrupted", "client_closed"}
EXPLAINED = ("withdrawn", "duplicate")
"""Why a row may be in quarantine: a reservation that no database could book, and what was stored twice."""

ALLOWED = {0, 200, 400, 403, 404, 429, 502, 503, 504}
"""What a caller with a valid key may be answered. 0: its connection ended."""


@dataclass
class Books:
    """All rows of the audit, by decision."""

    decisions: dict[str, Row]
    attempts: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def results(self, ident: str) -> set[str]:
        """The results of a decision."""
        return {row["result"] for row in self.outcomes.get(ident, ())}


def plain(value: object) -> str:
    """An id without dashes, as SQLite has them."""
    return str(value).replace("-", "")


def read(made: Arena) -> Books:
    """Read all of it."""
    query = made.database.query
    books = Books({plain(row["id"]): row for row in query("SELECT * FROM iwrouting_decision")})
    for row in query("SELECT * FROM iwrouting_attempt"):
        books.attempts[plain(row["decision_id"])].append(row)
    for row in query("SELECT * FROM iwrouting_outcome"):
        books.outcomes[plain(row["decision_id"])].append(row)
    return books


def judge(made: Arena, seen: Seen) -> list[str]:
    """All that is wrong; nothing is what it must be."""
    books = read(made)
    provider = [json.loads(line) for line in made.sandbox.log_path.read_text().splitlines()]
    seen.counts["provider"] = len(provider)
    return [
        *callers(seen.calls, books),
        *provided(provider, books),
        *ours(books),
        *numbered(made),
        *left(made),
        *sessions(seen),
        *reconciled(made, seen),
        *verified(made, seen),
        *invariable(made),
    ]


def reconciled(made: Arena, seen: Seen) -> Iterator[str]:
    """What the command says that users have, of the same three ledgers."""
    told = made.manage(
        "audit_reconcile", "--client", str(made.client_log), "--provider", str(made.sandbox.log_path),
        "--grace", "0", "--format", "json",
    )  # fmt: skip
    found = json.loads(told.stdout)
    seen.counts.update({f"reconcile {code}": count for code, count in found["counts"].items()})
    yield from (f"audit_reconcile: {finding}" for finding in found["findings"])
    if told.returncode:
        yield f"audit_reconcile ended with {told.returncode}: {told.stderr[-500:]}"


def verified(made: Arena, seen: Seen) -> Iterator[str]:
    """What the command says that users have, of the chains of all writers: whole, and nothing pending any more."""
    told = made.manage("audit_verify", "--format", "json")
    if told.returncode:
        yield f"audit_verify ended with {told.returncode}: {told.stderr[-500:]}"
    found = json.loads(told.stdout)
    seen.counts["rows verified"] = found["rows"]
    yield from (f"audit_verify: {finding}" for finding in (*found["findings"], *found["pending"]))
    if left := found["unchecked"] + found["not_covered"]:
        yield f"audit_verify took {left} rows as they are"


def invariable(made: Arena) -> Iterator[str]:
    """What must hold of the rows alone."""
    for each in invariants():
        for row in made.database.query(each.query):
            yield f"invariant {each.name}: {row['id']} {row['detail']}"


def callers(calls: list[Call], books: Books) -> Iterator[str]:
    """The client's ledger: who was answered has its decision with outcome and attempts."""
    for call in calls:
        valid = call.kind != "unknown key"
        if (call.status not in ALLOWED and valid) or (call.status == 200 and not valid):
            yield f"{call.kind} {call.request_id} was answered {call.status} {call.code}"
        if call.ended == "open" and "leaver" not in call.kind:
            yield f"{call.kind} {call.request_id} was not answered in {call.took:.0f} s"
        if call.status == 200 and call.kind != "resolve":
            yield from _answered(call, books)


def _answered(call: Call, books: Books) -> Iterator[str]:
    ident = plain(call.decision_id)
    told = f"{call.kind} {call.request_id}, decision {call.decision_id}"
    if ident not in books.decisions:
        yield f"missing: {told} was answered, its decision is not stored"
        return
    server = [row for row in books.outcomes[ident] if row["origin"] == "server"]
    if call.whole and not server:
        yield f"missing: {told} was answered whole, its outcome is not stored: {books.results(ident)}"
    elif call.whole and server[0]["result"] not in SERVED:
        yield f"{told} was answered whole, its outcome says {server[0]['result']}"
    elif call.whole and not any(row["status"] == 200 for row in books.attempts[ident]):
        yield f"missing: {told} was answered whole, the attempt that served it is not stored"


def provided(lines: list[Row], books: Books) -> Iterator[str]:
    """The provider's ledger: nothing came without a decision; each try has its attempt, or died with its process."""
    names = Counter(str(line["client_request_id"]) for line in lines)
    yield from (f"duplicate: the provider has {name} {count} times" for name, count in names.items() if count > 1)
    for name in names:
        ident, _, seq = name.rpartition("-")
        ident = plain(ident)
        if ident not in books.decisions:
            yield f"missing: the provider was called as {name}, which has no decision"
        elif not any(row["seq"] == int(seq) for row in books.attempts[ident]):
            swept = {row["origin"] for row in books.outcomes[ident]} == {"sweeper"}
            if not swept and not books.results(ident) <= CUT:
                yield f"missing: the provider was called as {name}, which has no attempt: {books.results(ident)}"
    for ident, rows in books.attempts.items():
        for row in rows:
            name = f"{books.decisions[ident]['id'] if ident in books.decisions else ident}-{row['seq']}"
            if row["status"] is not None and _dashed(name) not in names:
                yield f"attempt {name} has status {row['status']}, the provider knows nothing of it"


def _dashed(name: str) -> str:
    ident, _, seq = name.rpartition("-")
    bare = plain(ident)
    return f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}-{seq}"


def ours(books: Books) -> Iterator[str]:
    """Our ledger by itself: every decision closed, once by each origin; attempts numbered from one on."""
    for ident in books.decisions:
        origins = Counter(row["origin"] for row in books.outcomes.get(ident, ()))
        if not origins:
            yield f"open: decision {ident} has no outcome"
        yield from (f"duplicate: {ident} has {n} outcomes of {origin}" for origin, n in origins.items() if n > 1)
    for ident, rows in books.attempts.items():
        numbers = sorted(row["seq"] for row in rows)
        if numbers != list(range(1, len(rows) + 1)):
            yield f"{ident} has attempts {numbers}"
    strangers = (set(books.attempts) | set(books.outcomes)) - set(books.decisions)
    yield from (f"missing: {ident} has rows, but no decision" for ident in sorted(strangers))


PLACES = """
SELECT writer_id, count(*) AS n, count(DISTINCT writer_seq) AS places, max(writer_seq) AS last FROM (
  SELECT writer_id, writer_seq FROM iwrouting_decision UNION ALL
  SELECT writer_id, writer_seq FROM iwrouting_attempt UNION ALL
  SELECT writer_id, writer_seq FROM iwrouting_outcome UNION ALL
  SELECT writer_id, writer_seq FROM iwrouting_quarantinedrow WHERE writer_seq IS NOT NULL
) places GROUP BY writer_id
"""


def numbered(made: Arena) -> Iterator[str]:
    """Each writer's numbers stand once each and without a gap; what is in quarantine is explained."""
    for row in made.database.query(PLACES):
        if row["n"] != row["places"]:
            yield f"duplicate: writer {row['writer_id']} gave {row['n'] - row['places']} numbers twice"
        if row["last"] != row["places"]:
            yield f"missing: writer {row['writer_id']} has {row['places']} numbers up to {row['last']}"
    for row in made.database.query("SELECT reason, detail, table_name FROM iwrouting_quarantinedrow"):
        if row["reason"] not in EXPLAINED:
            yield f"in quarantine: {row['table_name']} {row['reason']} {row['detail']}"


def left(made: Arena) -> Iterator[str]:
    """Nothing is left behind: no journal with a record, no writer that nobody swept, no reservation."""
    for path in sorted(made.journals.glob("*.journal")):
        yield f"the journal {path.name} is left, {path.stat().st_size} bytes"
    for row in made.database.query("SELECT id, mode FROM iwrouting_writer WHERE ended_at IS NULL AND swept_at IS NULL"):
        yield f"writer {row['id']} is neither ended nor swept: {row['mode']}"
    for row in made.database.query("SELECT decision_id, tokens FROM iwrouting_runreservation"):
        yield f"{row['tokens']} tokens are still reserved for {row['decision_id']}"


def sessions(seen: Seen) -> Iterator[str]:
    """Never more sessions than the cap, none that idled in a transaction; each fault was recovered from."""
    if seen.sessions > WORKERS * CAP_A_WORKER:
        yield f"{seen.sessions} sessions at once, more than {WORKERS * CAP_A_WORKER}"
    yield from (f"idle in a transaction: {statement}" for statement in set(seen.idle))
    for fault in seen.database_faults:
        if fault.recovered is None:
            yield f"no recovery from '{fault.name}'"
