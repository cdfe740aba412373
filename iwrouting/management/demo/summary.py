"""What the demo leaves behind, and where to look at it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from iwrouting.management.demo.cast import PREFIX
from iwrouting.models import Decision, Project
from iwrouting.reports import REPORTS

BY_RESULT = "SELECT result, count(*) FROM rpt_decisions_v1 WHERE project LIKE %s GROUP BY result ORDER BY 2 DESC"
COST = "SELECT sum(cost_usd) FROM rpt_usage_daily_v1 WHERE project LIKE %s"

QUESTIONS = (
    ("Which models served, and what it cost", "SELECT * FROM rpt_usage_daily_v1 ORDER BY cost_usd DESC LIMIT 10"),
    ("Why calls fell back", "SELECT * FROM rpt_fallbacks_v1 LIMIT 10"),
    ("What failed at the provider", "SELECT model, status, error_code, count(*) FROM rpt_attempts_v1 "
     "WHERE error_code <> '' GROUP BY 1, 2, 3 ORDER BY 4 DESC"),
)  # fmt: skip


def summary() -> Iterator[str]:
    """The lines that end the demo."""
    with connection.cursor() as cursor:
        cursor.execute(BY_RESULT, [f"{PREFIX}%"])
        results = ", ".join(f"{count} {result}" for result, count in cursor.fetchall())
        cursor.execute(COST, [f"{PREFIX}%"])
        (cost,) = cursor.fetchone()
    views = [f"{view} ({rows(view)})" for view in REPORTS]
    decisions = Decision.objects.filter(project__startswith=PREFIX).count()
    projects = Project.objects.filter(slug__startswith=PREFIX).count()
    yield f"{decisions} decisions of {projects} demo projects: {results}."
    yield f"Cost, had it been real: ${float(cost or 0):.4f}. Views: {', '.join(views)}."
    yield ""
    yield from where_to_look()


def rows(view: str) -> int:
    """How many rows a view has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {view}")  # noqa: S608 - a name of ours
        found: int = cursor.fetchone()[0]
    return found


def where_to_look() -> Iterator[str]:
    """The admin, SQL, and how to be rid of it."""
    yield "Look at it: the admin, at the address that `make run` (or `manage.py up`) prints"
    yield f"Or by SQL ({shell()}):"
    yield from (f"  -- {title}\n  {sql};" for title, sql in QUESTIONS)
    yield ""
    yield f"The projects are named {PREFIX}..., the keys ended with this run. Audit records can't be deleted: {again()}"


def shell() -> str:
    """The command that opens the database."""
    if connection.vendor == "sqlite":
        return f"sqlite3 {connection.settings_dict['NAME']}"
    return f"psql {connection.settings_dict['NAME']}"


def again() -> str:
    """How to start over."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"to start over, stop the service and remove {name}, {name}-wal and {name}-shm."
    return f"to start over, drop the database {name} and make it anew."
