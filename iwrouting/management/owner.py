"""Who may change the audit's tables: on PostgreSQL their owner alone."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import connection

from iwrouting.audit.keeping.tables import DECISION
from iwrouting.conf import points, settings

OWNER = """
SELECT pg_get_userbyid(relowner), current_user, pg_has_role(current_user, relowner, 'USAGE')
FROM pg_class WHERE oid = to_regclass(%s)
"""
AS_OWNER = "Run it with the owner's DATABASE_URL (docs/operations.md has the roles)."


def must_own(command: str) -> None:
    """Raise CommandError where the database's role may not make, detach and drop partitions. SQLite has no roles."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(OWNER, [DECISION])
        owner, user, owns = cursor.fetchone() or ("", "", True)
    if not owns:
        raise CommandError(f"{command} needs the owner of the tables, {owner}; this is {user}. {AS_OWNER}")


def arm_points() -> None:
    """Put the fault points of IW_FAULT_POINTS in force, as workers do at their start. For tests."""
    points.arm(points.read_plan(settings().fault_points))
