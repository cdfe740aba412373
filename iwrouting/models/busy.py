"""What another transaction holds: waited for briefly by whoever answers a request, and told."""

from __future__ import annotations

from django.db import OperationalError, connection

BUSY = "Somebody else's change is being saved at this moment, so nothing was saved. Try again in a few seconds."
BUSY_CODES = ("55P03", "57014", "40P01")
"""PostgreSQL: lock not available, query cancelled (a timeout), deadlock."""


def wait_briefly(seconds: float) -> None:
    """Wait no longer for a lock in this transaction. PostgreSQL waits without an end unless told otherwise; SQLite has
    its own limit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{seconds}s'")


def is_busy(error: OperationalError) -> bool:
    """Whether a database answered that another transaction holds what this one needs."""
    return "locked" in str(error) or getattr(error.__cause__, "sqlstate", None) in BUSY_CODES
