"""The writer's SQL on PostgreSQL. All columns are named: an older release must be able to write to newer tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import orjson

from iwrouting.audit.rows import BLANK, NUMBERED, ORDER, Row
from iwrouting.audit.writing.budget import hexed
from iwrouting.audit.writing.storing import Rows
from iwrouting.models import EnvironmentSnapshot, Writer

KEPT_OUT = "iwrouting: some of these rows are there already and are looked at"
"""What the server says, and logs, of a batch that it did not insert because of that."""

SET_BOUNDS = "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"

DURABILITY = (
    "SELECT CASE WHEN current_setting('fsync') = 'off' THEN 'fsync' END, "
    "CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'synchronous_commit' END"
)

INSERT_ENVIRONMENT = (
    f"INSERT INTO {EnvironmentSnapshot._meta.db_table} (id, first_seen_at, values) VALUES (%s, %s, %s) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)

TOLD = (
    "mode",
    "queued",
    "last_seq",
    "chain_hash",
    "last_commit_at",
    "journal_bytes",
    "journaled_rows",
    "quarantined_rows",
    "dropped_rows",
    "revision",
    "snapshot_fault",
    "environment_id",
    "journal_id",
)
"""What changes in a Writer row."""

NAMED = ("id", "host", "pid", "key_id", "app_version")


def _beat() -> str:
    names = ", ".join((*NAMED, *TOLD))
    values = ", ".join(f"%({name})s" for name in (*NAMED, *TOLD))
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in TOLD)
    return (
        f"INSERT INTO {Writer._meta.db_table} AS mine ({names}, started_at, heartbeat_at, ended_at) "  # noqa: S608
        f"VALUES ({values}, now(), now(), CASE WHEN %(ended)s THEN now() END) "
        f"ON CONFLICT (id) DO UPDATE SET {changes}, heartbeat_at = EXCLUDED.heartbeat_at, "
        # Who was stopped for long may have been swept meanwhile, and is back.
        "ended_at = EXCLUDED.ended_at, swept_at = NULL"
    )


BEAT = _beat()


@cache
def insert_into(*tables: str, strict: bool) -> str:
    """One statement that inserts JSON rows into these tables, a parameter each, and one of how many are numbered.

    Rows that are there stay. It gives whether all numbered ones were new; `strict`: fails where they were not.
    """
    parts = [f"p{index} AS ({_insert(table)})" for index, table in enumerate(tables)]
    counts = [f"(SELECT count(*) FROM p{index})" for index, table in enumerate(tables) if table in NUMBERED]  # noqa: S608
    are_new = f"{' + '.join(counts) or '0'} = %s"
    # The cast must not stand where the planner could try it beforehand.
    answer = f"CASE WHEN {are_new} THEN '1' ELSE '{KEPT_OUT}' END::int" if strict else are_new
    return f"WITH {', '.join(parts)} SELECT {answer}"


def _insert(table: str) -> str:
    columns = ", ".join(f'"{column}"' for column in BLANK[table])
    return (
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(null::{table}, %s::json) "  # noqa: S608
        "ON CONFLICT DO NOTHING RETURNING 1"
    )


def insertion(rows: Rows, *, strict: bool) -> tuple[str, list[object]]:
    """The statement that inserts these rows, and its parameters.

    Its tables stand in ORDER, whatever came first: so they are locked in one order by all, and upkeep, which locks them
    in that order too, meets no deadlock.
    """
    named = {table for table, _ in rows}
    by_table: dict[str, list[Row]] = {table: [] for table in ORDER if table in named}
    for table, row in rows:
        by_table[table].append(row)
    numbered = sum(len(found) for table, found in by_table.items() if table in NUMBERED)
    written: list[object] = [orjson.dumps(found).decode() for found in by_table.values()]
    return insert_into(*by_table, strict=strict), [*written, numbered]


def lookups(rows: Rows) -> Iterator[tuple[str, list[object]]]:
    """The statements that find which numbered rows are stored: id, writer and number of each."""
    for table in NUMBERED:
        found = [row for name, row in rows if name == table]
        if found:
            times = [row["decision_at"] for row in found]
            yield (
                f"SELECT replace(id::text, '-', ''), writer_id, writer_seq FROM {table} "  # noqa: S608 - our own names
                "WHERE id = ANY(%s::uuid[]) AND decision_at BETWEEN %s AND %s",
                [[row["id"] for row in found], min(times), max(times)],
            )


def missing(rows: Rows, stored: set[tuple[str, str, int]]) -> Rows:
    """The numbered rows that do not stand in the database as they are."""
    return [
        (table, row)
        for table, row in rows
        if table in NUMBERED and (hexed(row["id"]).lower(), row["writer_id"], row["writer_seq"]) not in stored
    ]
