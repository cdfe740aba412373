"""Locks that no writer ever waits long for: asked for briefly, given back, and asked for again (PostgreSQL).

Who asks for an exclusive lock makes all others queue behind it, also while it only waits. So all locks of a try
together are waited for no longer than LOCK_MS, well within the time that the writer gives a batch.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")
LOCK_MS = 300
PAUSE_S = 0.5
TRIES = 30
BUSY = ("55P03", "40P01")
"""PostgreSQL's states of a lock not had in time, and of a deadlock."""

HOLDERS = """
SELECT pid, usename, application_name, extract(epoch FROM now() - xact_start)::int
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE granted AND pid <> pg_backend_pid() AND relation = ANY(SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
ORDER BY xact_start LIMIT 1
"""


class Busy(Exception):
    """Others use the tables, and went on using them for as long as was tried."""


def exclusively(relations: Sequence[str], work: Callable[[], T]) -> T:
    """What `work` gives, done in a transaction that locks these tables against everybody.

    Inside a transaction it is a part of that one, and what that did before is kept between tries. Raises Busy.
    """
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                lock(relations, "ACCESS EXCLUSIVE")
                return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in BUSY:
                raise
        if left:
            time.sleep(PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads tries, guards nothing
    raise Busy(f"the tables are in use: {TRIES} times they could not be locked within {LOCK_MS} ms{_who(relations)}")


def lock(relations: Sequence[str], mode: str) -> None:
    """Lock them in this order. Raises OperationalError where all together take longer than LOCK_MS."""
    end = time.monotonic() + LOCK_MS / 1000
    with connection.cursor() as cursor:
        for relation in relations:
            left_ms = max(1, int((end - time.monotonic()) * 1000))
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{left_ms}ms"])
            cursor.execute(f'LOCK TABLE ONLY "{relation}" IN {mode} MODE')


def _who(relations: Sequence[str]) -> str:
    """Whose transaction is the oldest that holds one of them, as far as this role may see it."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [list(relations)])
        row = cursor.fetchone()
    return "" if row is None else f"; {row[1]} has used them for {row[3]} s (pid {row[0]}, {row[2]!r})"
