"""The planner's statistics of the audit's tables.

PostgreSQL renews those of partitions by itself, never those of the whole: a report over many months would be planned
as if the tables were empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from iwrouting.audit.keeping.tables import TABLES

DUE = """
SELECT relname FROM pg_stat_user_tables
WHERE relname = ANY(%s) AND coalesce(last_analyze, '-infinity') < now() - interval '20 hours'
ORDER BY relname
"""


def due() -> tuple[str, ...]:
    """The tables whose statistics are a day old; on SQLite always all, which looks itself."""
    if connection.vendor == "sqlite":
        return TABLES
    with connection.cursor() as cursor:
        cursor.execute(DUE, [list(TABLES)])
        return tuple(name for (name,) in cursor.fetchall())


def renew(tables: Sequence[str]) -> None:
    """Renew those of these tables; neither readers nor writers wait for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA optimize")
            return
        for table in tables:
            cursor.execute(f"ANALYZE {table}")
