"""The views: one SQL file for each, per database. A view of a version only ever gains columns, at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

FOLDER = Path(__file__).resolve().parent / "sql"
VIEWS = (
    "rpt_decisions_v1",
    "rpt_attempts_v1",
    "rpt_fallbacks_v1",
    "iw_usage_raw",
    "iw_label_raw",
    "iw_usage_marked",
    "iw_usage_fine",
    "rpt_usage_hourly_v1",
    "iw_usage_days",
    "rpt_usage_daily_v1",
    "rpt_changes_v1",
    "rpt_config_history_v1",
    "rpt_effective_config_v1",
    "rpt_prices_v1",
    "rpt_lifecycle_v1",
    "rpt_cost_guidance_v1",
    "rpt_runs_v1",
    "rpt_keys_v1",
)
"""In the order in which they stand on each other."""

REPORTS = tuple(view for view in VIEWS if view.startswith("rpt_"))
"""Those that analysts read; the others are what these stand on."""

GRANTS = """
SELECT format('GRANT %%s ON %%I TO %%s', a.privilege_type, c.relname,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM pg_class AS c, aclexplode(c.relacl) AS a
WHERE c.relname = ANY(%s) AND c.relkind = 'v' AND pg_table_is_visible(c.oid) AND a.grantee <> c.relowner
"""


def drop(connection: BaseDatabaseWrapper) -> list[str]:
    """Drop those that exist; gives the GRANT statements that PostgreSQL forgets with them."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        grants: list[str] = []
        if connection.vendor == "postgresql":
            cursor.execute(GRANTS, [list(VIEWS)])
            grants = [statement for (statement,) in cursor.fetchall()]
        for view in reversed(VIEWS):
            cursor.execute(f"DROP VIEW IF EXISTS {view}")
    return grants


def create(connection: BaseDatabaseWrapper, grants: Sequence[str] = ()) -> None:
    """Make them as this release has them. PostgreSQL replaces those that exist in place, so that their grants stay.

    grants: statements to run afterwards, as drop() gave them.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for view in VIEWS:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP VIEW IF EXISTS {view}")
            cursor.execute((FOLDER / connection.vendor / f"{view}.sql").read_text(encoding="utf-8"))
        for statement in grants:
            cursor.execute(statement)
