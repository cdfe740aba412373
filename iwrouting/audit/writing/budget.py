"""The budgets of runs: what a call sets aside and what it took, booked in the transaction of its own rows.

One transaction locks the runs, books every claim of a batch in order, and writes back; two processes that book for one
run therefore follow each other, and used + reserved never exceeds the limit (faults.md T15). A claim that comes again,
because a commit's answer was lost, changes nothing: reservations are keyed by the decision.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from iwrouting.models import Decision, Run, RunReservation

RUNS = Run._meta.db_table
RESERVATIONS = RunReservation._meta.db_table
DECISIONS = Decision._meta.db_table
MOST_TOKENS = 2**63 - 1

Key = tuple[str, str]
"""Project and run id: what a caller calls a run."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """Set tokens aside for a call: `wanted` if the run has them left, fewer down to `least`, else none at all.

    `limit` is the run's unless an operator gave it another.
    """

    key: Key
    decision_id: str
    least: int
    wanted: int
    limit: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """Book what a call took, and free what was set aside for it."""

    key: Key
    decision_id: str
    tokens: int


Claim = Reserve | Settle


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a claim: the tokens `granted`, or None; and the run's budget as it was just before."""

    granted: int | None
    limit: int = 0
    used: int = 0
    reserved: int = 0


SETTLED = Verdict(0)


@dataclass(slots=True)
class Account:
    """A run while it is locked. `reserved` are its reservations, those left behind by killed processes too."""

    id: int
    limit: int | None
    used: int
    reserved: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that stands."""

    run: int
    tokens: int


@dataclass(slots=True)
class Books:
    """What one transaction found, and what it is to change. Ids are 32 hex digits."""

    accounts: dict[Key, Account]
    held: dict[str, Held] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    made: dict[str, tuple[int, Reserve]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def book(self, claim: Claim) -> Verdict:
        """Book one claim."""
        return self._reserve(claim) if isinstance(claim, Reserve) else self._settle(claim)

    def _reserve(self, claim: Reserve) -> Verdict:
        ident = hexed(claim.decision_id)
        account = self.accounts[claim.key]
        limit = claim.limit if account.limit is None else account.limit
        before = (limit, account.used, account.reserved)
        if ident in self.held:
            return Verdict(self.held[ident].tokens, *before)
        if ident in self.stored:
            return Verdict(None, *before)
        granted = min(claim.wanted, limit - account.used - account.reserved)
        if granted < claim.least:
            account.refused += 1
            return Verdict(None, *before)
        account.reserved += granted
        self.held[ident] = Held(account.id, granted)
        self.made[ident] = (granted, claim)
        return Verdict(granted, *before)

    def _settle(self, claim: Settle) -> Verdict:
        ident = hexed(claim.decision_id)
        held = self.held.pop(ident, None)
        if held is None:
            return SETTLED
        account = self.accounts[claim.key]
        account.used = min(MOST_TOKENS, account.used + claim.tokens)
        account.reserved -= held.tokens
        if self.made.pop(ident, None) is None:
            self.gone.append(ident)
        return SETTLED


def hexed(ident: object) -> str:
    """An id as both databases can be compared by."""
    return str(ident).replace("-", "")


class Dialect(Protocol):
    """How a database takes values. `lock` ends a SELECT that locks its rows."""

    lock: str

    def ident(self, hexadecimal: str) -> Any: ...

    def moment(self, moment: datetime) -> Any: ...


Statement = tuple[str, Sequence[Any]]
Rows = Sequence[Sequence[Any]]
Booking = Generator[Statement, Rows, list[Verdict]]


def booking(claims: Sequence[Claim], repeated: Iterable[Claim], now: datetime, dialect: Dialect) -> Booking:
    """Book claims in order: yields the statements of one transaction, is sent their rows, returns the verdicts.

    `repeated` are those whose rows may be stored already.
    """
    books = yield from _open(claims, now, dialect)
    again = [dialect.ident(hexed(claim.decision_id)) for claim in repeated if isinstance(claim, Reserve)]
    if again:
        found = yield (f"SELECT id FROM {DECISIONS} WHERE id IN ({_marks(again)})", again)  # noqa: S608 - our own names
        books.stored = {hexed(ident) for (ident,) in found}
    verdicts = [books.book(claim) for claim in claims]
    yield from _write(books, now, dialect)
    return verdicts


def _open(claims: Sequence[Claim], now: datetime, dialect: Dialect) -> Generator[Statement, Rows, Books]:
    moment = dialect.moment(now)
    # In one order everywhere: two transactions that each make or lock two runs must not wait for each other.
    keys = sorted({claim.key for claim in claims})
    for project, run in keys:
        yield (
            f"INSERT INTO {RUNS} (project, run_id, limit_tokens, used_tokens, refused_calls, first_seen_at, "  # noqa: S608
            "last_seen_at) VALUES (%s, %s, NULL, 0, 0, %s, %s) ON CONFLICT DO NOTHING",
            (project, run, moment, moment),
        )
    books = Books({})
    pairs = ", ".join(["(%s, %s)"] * len(keys))
    found = yield (
        f"SELECT id, project, run_id, limit_tokens, used_tokens FROM {RUNS} "  # noqa: S608
        f"WHERE (project, run_id) IN (VALUES {pairs}) ORDER BY id{dialect.lock}",
        [text for key in keys for text in key],
    )
    for number, project, run, limit, used in found:
        books.accounts[project, run] = Account(number, limit, used)
    yield from _reserved(books, claims, dialect)
    return books


def _reserved(books: Books, claims: Sequence[Claim], dialect: Dialect) -> Generator[Statement, Rows, None]:
    """What is set aside: of each run, and for these very decisions."""
    runs = {account.id: account for account in books.accounts.values()}
    sums = yield (
        f"SELECT run_id, SUM(tokens) FROM {RESERVATIONS} "  # noqa: S608
        f"WHERE run_id IN ({_marks(runs)}) GROUP BY run_id",
        [*runs],
    )
    for number, tokens in sums:
        runs[number].reserved = int(tokens)
    idents = [dialect.ident(hexed(claim.decision_id)) for claim in claims]
    found = yield (
        f"SELECT decision_id, run_id, tokens FROM {RESERVATIONS} WHERE decision_id IN ({_marks(idents)})",  # noqa: S608
        idents,
    )
    books.held = {hexed(ident): Held(number, tokens) for ident, number, tokens in found}


def _write(books: Books, now: datetime, dialect: Dialect) -> Generator[Statement, Rows, None]:
    if books.made:
        values: list[Any] = []
        for ident, (granted, claim) in books.made.items():
            number = books.accounts[claim.key].id
            values += (dialect.ident(ident), number, granted, dialect.moment(claim.expires_at))
        rows = ", ".join(["(%s, %s, %s, %s)"] * len(books.made))
        yield (f"INSERT INTO {RESERVATIONS} (decision_id, run_id, tokens, expires_at) VALUES {rows}", values)  # noqa: S608
    if books.gone:
        idents = [dialect.ident(ident) for ident in books.gone]
        yield (f"DELETE FROM {RESERVATIONS} WHERE decision_id IN ({_marks(idents)})", idents)  # noqa: S608
    for account in books.accounts.values():
        yield (
            f"UPDATE {RUNS} SET used_tokens = %s, refused_calls = refused_calls + %s, last_seen_at = %s "  # noqa: S608
            "WHERE id = %s",
            (account.used, account.refused, dialect.moment(now), account.id),
        )


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _ in values)
