"""The database: reachable, migrated, durable, and with no more rights than the service needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from iwrouting.audit.keeping.tables import DECISION
from iwrouting.conf import Settings
from iwrouting.management.database import what_to_do
from iwrouting.management.doctor.results import Result, finding, not_ready, ok, warning
from iwrouting.management.role_plan import lacking

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
RIGHTS = """
SELECT rolsuper, COALESCE(pg_has_role(current_user, relowner, 'USAGE'), false), current_user
FROM pg_roles LEFT JOIN pg_class ON pg_class.oid = to_regclass(%s) WHERE rolname = current_user
"""
OPEN_TO_OTHERS = 0o007
MOST_TOLD = 5


def check_database(conf: Settings) -> Iterator[Result]:
    """Reachable, and with all migrations: only then the other checks of it make sense."""
    try:
        connection.ensure_connection()
        missing = _missing()
    except Error as error:
        yield not_ready("database", "can't be asked", what_to_do(error) or f"{type(error).__name__}: see the log.")
        return
    vendor = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    yield ok("database", f"{vendor} answers")
    if missing:
        yield not_ready("migrations", f"{missing} are missing", "Run 'manage.py migrate'.")
    else:
        yield ok("migrations", "all are there")


def _missing() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def check_durability(conf: Settings) -> Iterator[Result]:
    """Whether a commit outlives a crash of the database's host. On SQLite the writer sees to that itself."""
    if connection.vendor != "postgresql":
        yield ok("durability", "write-ahead log, synchronous=FULL")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [list(DURABLE)])
        off = sorted(name for (name,) in cursor.fetchall())
    if off:
        yield finding(
            "durability",
            f"{', '.join(off)}: off on the server, so rows that were told to be stored can be lost in a crash",
            "Turn it on in postgresql.conf and reload.",
        )
    else:
        yield ok("durability", "fsync and synchronous_commit are on")


def check_rights(conf: Settings) -> Iterator[Result]:
    """Whether the triggers that keep the audit insert-only hold for the service's own role."""
    if connection.vendor != "postgresql":
        yield from _file_rights()
        return
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS, [DECISION])
        is_super, owns, user = cursor.fetchone() or (False, False, "")
    if not is_super and not owns:
        yield _rights_of_service(user)
        return
    what = "a superuser" if is_super else "an owner of the tables"
    message = f"{user} is {what}: it could switch off the guards of the audit"
    if conf.development:
        yield ok("rights", f"{message}; that is usual in development")
    else:
        yield warning("rights", message, "Run 'manage.py roles' as the owner, and serve as a login of iw_app.")


def _rights_of_service(user: str) -> Result:
    if missing := lacking():
        more = f" and {len(missing) - MOST_TOLD} more" if missing[MOST_TOLD:] else ""
        return finding(
            "rights",
            f"{user} may not do what the service does: {', '.join(missing[:MOST_TOLD])}{more}",
            "Run 'manage.py roles --yes' as the owner: after every 'migrate'.",
        )
    return ok("rights", f"{user} is neither superuser nor owner of the tables")


def _file_rights() -> Iterator[Result]:
    path = Path(str(connection.settings_dict["NAME"]))
    if path.exists() and path.stat().st_mode & OPEN_TO_OTHERS:
        yield warning("rights", f"{path} is open to every user of this machine", f"chmod o= {path}")
    else:
        yield ok("rights", "SQLite has no roles: who can write the file can do all")
