"""What the writer asks of a database, and how a database says no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from iwrouting.audit.rows import Row
from iwrouting.audit.writing.budget import Claim, Verdict

Rows = Sequence[tuple[str, Row]]
RowsOf = Callable[[list[Verdict]], Rows]


class StoreDown(Exception):
    """The database can't be reached, did not answer in time or can't take rows now; the same rows may succeed later."""


class RowsRefused(Exception):
    """The database answered and does not take these rows; they will not succeed later either."""


class Store(Protocol):
    """Where rows go, over one connection that is made again whenever it is lost. `bound_s`: how long each may take.

    `insert` and `book` are idempotent by id and return once everything is committed. A row that a unique constraint
    keeps out, while not this very row is there, is put into quarantine in the same transaction: `duplicates` counts.
    `not_durable` says why a commit may not outlive a crash of the database's host, or is empty.
    """

    not_durable: str
    duplicates: int

    async def beat(self, told: Row, bound_s: float) -> None:
        """Insert or update this process's Writer row. Raises StoreDown."""

    async def insert(self, rows: Rows, bound_s: float) -> None:
        """Commit the rows. Raises StoreDown or RowsRefused."""

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        """Book the claims and commit the rows that `rows_of` makes of their verdicts. Raises StoreDown or RowsRefused.

        Those of `repeated` may have been booked before.
        """

    async def close(self) -> None:
        """Let go of the connection."""
