"""The lines of the two logs in a temporary database that spills to disk: sorted by decision in constant memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from iwrouting.reports.reconcile.lines import ClientLine, ProviderLine, id_seconds

TABLES = """
CREATE TABLE client (line INTEGER, decision TEXT, request TEXT, status INTEGER, model TEXT, prompt INTEGER,
    completion INTEGER, code TEXT, whole INTEGER, at REAL);
CREATE TABLE provider (line INTEGER, decision TEXT, seq INTEGER, request TEXT, status INTEGER, model TEXT,
    prompt INTEGER, completion INTEGER, at REAL);
CREATE TABLE asked (request TEXT, decision TEXT, retry INTEGER);
CREATE TABLE mark (decision TEXT, code TEXT);
"""
Asked = tuple[str, str, int]


class Index:
    """Takes the lines in any order, finds the decisions of those that name none, and gives them back sorted."""

    def __init__(self) -> None:
        # Without a name SQLite makes a private file, which it begins to use when its cache is full.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.create_function("made", 1, id_seconds, deterministic=True)
        self._db.executescript(f"PRAGMA cache_size=-65536; PRAGMA synchronous=OFF; {TABLES} BEGIN;")

    def close(self) -> None:
        """Remove it."""
        self._db.close()

    def add_client(self, lines: Iterable[ClientLine]) -> None:
        """Take lines of a client's log."""
        self._db.executemany("INSERT INTO client VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)

    def add_provider(self, lines: Iterable[ProviderLine]) -> None:
        """Take lines of a provider's log."""
        self._db.executemany("INSERT INTO provider VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)

    def client(self) -> Iterator[ClientLine]:
        """The client's lines that name a decision, by decision."""
        found = self._db.execute("SELECT * FROM client WHERE decision <> '' ORDER BY decision, line")
        return map(ClientLine._make, found)

    def provider(self) -> Iterator[ProviderLine]:
        """The provider's lines that name a decision, by decision."""
        found = self._db.execute("SELECT * FROM provider WHERE decision <> '' ORDER BY decision, seq, line")
        return map(ProviderLine._make, found)

    def marks(self) -> Iterator[tuple[str, str]]:
        """What became of decisions that no line of the client names though one has their request id, by decision."""
        return self._db.execute("SELECT decision, code FROM mark ORDER BY decision")

    def unnamed_client(self) -> Iterator[ClientLine]:
        """The client's lines that name no decision."""
        return map(ClientLine._make, self._db.execute("SELECT * FROM client WHERE decision = '' ORDER BY line"))

    def unnamed_provider(self) -> Iterator[ProviderLine]:
        """The provider's lines that name no decision."""
        return map(ProviderLine._make, self._db.execute("SELECT * FROM provider WHERE decision = '' ORDER BY line"))

    @property
    def has_requests(self) -> bool:
        """Whether a client's line has a request id."""
        return bool(self._one("SELECT EXISTS (SELECT 1 FROM client WHERE request <> '')"))

    @property
    def has_upstream_requests(self) -> bool:
        """Whether a provider's line names no decision, but has the provider's own id."""
        return bool(self._one("SELECT EXISTS (SELECT 1 FROM provider WHERE decision = '' AND request <> '')"))

    def span(self) -> tuple[float | None, float | None]:
        """The Unix times of the first and the last line; None where a line tells neither its decision nor its time."""
        low, high, untimed = self._db.execute(
            "SELECT min(t), max(t), count(*) - count(t) FROM (SELECT CASE decision WHEN '' THEN at ELSE made(decision) "
            "END AS t FROM (SELECT decision, at FROM client UNION ALL SELECT decision, at FROM provider))"
        ).fetchone()
        return (None, None) if untimed else (low, high)

    def keep(self, low: float, high: float) -> None:
        """Forget the lines of other times; those that tell no time stay."""
        for table in ("client", "provider"):
            self._db.execute(
                f"DELETE FROM {table} WHERE CASE decision WHEN '' THEN at NOT BETWEEN ?1 AND ?2 "  # noqa: S608 - ours
                "ELSE made(decision) NOT BETWEEN ?1 AND ?2 END",
                (low, high),
            )

    def name_provider(self, tries: Iterable[Asked]) -> None:
        """Give lines without a decision that of the attempt with their own id."""
        self._db.execute("CREATE INDEX provider_request ON provider (request) WHERE decision = ''")
        self._db.executemany("UPDATE provider SET decision = ?2, seq = ?3 WHERE decision = '' AND request = ?1", tries)

    def name_client(self, asked: Iterable[Asked]) -> None:
        """Give lines without a decision that of their request id, the last one first; mark decisions that are left."""
        self._db.execute("CREATE INDEX client_request ON client (request) WHERE request <> ''")
        self._db.executemany(
            "INSERT INTO asked SELECT ?1, ?2, ?3 WHERE EXISTS "
            "(SELECT 1 FROM client WHERE request = ?1 AND request <> '')",
            asked,
        )
        # A copy: what is read must not change under the reader.
        self._db.execute(
            "CREATE TABLE same AS SELECT request, decision, retry, 0 AS is_line FROM asked UNION ALL "
            "SELECT request, decision, rowid, 1 FROM client WHERE request <> ''"
        )
        found = self._db.execute("SELECT * FROM same ORDER BY request, is_line, decision, retry")
        for _, rows in groupby(found, key=itemgetter(0)):
            self._assign(list(rows))

    def _assign(self, rows: list[tuple[str, str, int, int]]) -> None:
        """Rows of one request id: decisions with the number of their retry, and lines with their place."""
        named = {decision for _, decision, _, is_line in rows if is_line and decision}
        lines = [place for _, decision, place, is_line in rows if is_line and not decision]
        left = sorted(
            (decision, retry) for _, decision, retry, is_line in rows if not is_line and decision not in named
        )
        every = [(decision, retry) for _, decision, retry, is_line in rows if not is_line]
        while lines and left:
            self._db.execute("UPDATE client SET decision = ? WHERE rowid = ?", (left.pop()[0], lines.pop()))
        for decision, retry in left:
            again = any(other > decision and number > retry for other, number in every)
            self._db.execute("INSERT INTO mark VALUES (?, ?)", (decision, "retried" if again else "duplicate"))

    def _one(self, statement: str) -> int:
        found: int = self._db.execute(statement).fetchone()[0]
        return found
