"""The places of a writer's rows in its chain."""

from __future__ import annotations

from iwrouting.audit.tamper.chain import FIRST, HASH, AuditKey, canonical, link
from iwrouting.audit.writing.storing import Rows


class Numbers:
    """Consecutive numbers, each with the hash over all rows before it. `last` and `head` are those of the last row.

    `durable` are those of the last row that database or journal took: all that a Writer row may tell. Who is killed
    with rows in hand must not look like somebody whose last rows were removed.
    """

    def __init__(self, writer_id: str, key: AuditKey) -> None:
        self.writer_id = writer_id
        self.key = key
        self.last = 0
        self.head = FIRST
        self.durable = (0, FIRST)

    def give(self, rows: Rows) -> None:
        """Give each row its place, once: rows that are tried again may be stored already.

        One that can't be written down gets none: whoever stores it finds out.
        """
        for table, row in rows:
            if row.get("writer_id", "needs none"):
                continue
            row["writer_id"] = self.writer_id
            if "writer_seq" not in row:
                continue
            row["writer_seq"] = self.last + 1
            try:
                row[HASH] = self.head = link(self.key, self.head, canonical(table, row))
                self.last += 1
            except TypeError:
                row["writer_seq"] = None

    def stored(self) -> None:
        """All rows that have a number are durable now."""
        self.durable = (self.last, self.head)


def has_place(rows: Rows) -> bool:
    """Whether one of the rows has its number: then they must be stored, whatever becomes of their caller."""
    return any(row.get("writer_seq") for _, row in rows)
