"""Triggers of PostgreSQL that mark the quarters of an hour whose audit rows came (T22, design.md 6); on SQLite
`iwrouting.reports.guards` sees to it after each migrate.

A mark stands in the transaction of the rows that it is for. Who writes rows holds the mark that is there by a key
share lock until its commit; who rolls up takes only marks that nobody holds, so a mark never goes before its rows
can be seen. One that is held or just going is passed over, and a new mark made: nobody waits.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from iwrouting.migrations._audit_tables import is_postgresql

# As its owner, with pg_temp last: see _audit_tables.COUNT_TOUCH.
MARK = """
CREATE FUNCTION iw_usage_mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    quarter timestamptz;
BEGIN
    FOR quarter IN SELECT DISTINCT date_bin('15 minutes', decision_at, '2000-01-01 00:00:00+00') FROM fresh LOOP
        PERFORM FROM iwrouting_usagemark WHERE bucket_at = quarter LIMIT 1 FOR KEY SHARE SKIP LOCKED;
        IF NOT FOUND THEN
            INSERT INTO iwrouting_usagemark (bucket_at) VALUES (quarter);
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""
MARK_PATH = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION iw_usage_mark() SET search_path = %I, pg_temp', current_schema());
END $$
"""
MARK_COMMENT = """
COMMENT ON FUNCTION iw_usage_mark() IS
'Trigger: marks the quarters of an hour in which the new rows were decided, so that the usage is summed up again.'
"""
# Whoever may execute them puts them on a table of their own, a temporary one even, and writes by them as their owner.
# A trigger that is there needs nobody's right.
FOR_TRIGGERS_ALONE = "REVOKE ALL ON FUNCTION iw_usage_mark(), iw_config_touch() FROM PUBLIC"
MARK_STORED = {
    "postgresql": """
INSERT INTO iwrouting_usagemark (bucket_at)
SELECT DISTINCT date_bin('15 minutes', decision_at, '2000-01-01 00:00:00+00') FROM iwrouting_decision
""",
    "sqlite": """
INSERT INTO iwrouting_usagemark (bucket_at)
SELECT DISTINCT substr(decision_at, 1, 14) || printf('%02d', CAST(substr(decision_at, 15, 2) AS INTEGER) / 15 * 15) || ':00'
FROM iwrouting_decision
""",
}

# Whoever runs the former release beside the migration: what came after the rows were read, and before the triggers.
MARK_LATELY = """
INSERT INTO iwrouting_usagemark (bucket_at)
SELECT date_bin('15 minutes', decision_at, '2000-01-01 00:00:00+00') FROM iwrouting_decision
WHERE decision_at >= now() - interval '7 days'
EXCEPT SELECT bucket_at FROM iwrouting_usagemark
"""


class MarkUsage(migrations.RunPython):
    """The triggers on the audit's tables, and marks for the decisions that are there already."""

    def __init__(self, *tables: str) -> None:
        self.tables = tables
        super().__init__(self._mark, self._forget)

    def _mark(self, _apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        schema_editor.execute(MARK_STORED[schema_editor.connection.vendor], None)
        if not is_postgresql(schema_editor):
            return
        for statement in (MARK, MARK_PATH, MARK_COMMENT, FOR_TRIGGERS_ALONE):
            schema_editor.execute(statement, None)
        for table in self.tables:
            schema_editor.execute(
                f"CREATE TRIGGER iw_usage_marked AFTER INSERT ON {table} "
                "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION iw_usage_mark()",
                None,
            )
        schema_editor.execute(MARK_LATELY, None)

    def _forget(self, _apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if not is_postgresql(schema_editor):
            for table in self.tables:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_marked", None)
            return
        for table in self.tables:
            schema_editor.execute(f"DROP TRIGGER iw_usage_marked ON {table}", None)
        schema_editor.execute("DROP FUNCTION iw_usage_mark()", None)
