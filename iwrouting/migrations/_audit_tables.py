"""Operations that make the audit's tables: partitioned by month on PostgreSQL, plain on SQLite (design.md 6).

On PostgreSQL the key of such a table is (id, decision_at), because a unique index of a partitioned table must hold
the column that it is partitioned by. Django's state keeps the one `id`: the admin refuses composite keys.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

MONTHS_AHEAD = 12
"""Partitions made at once: the current month (UTC) and so many after it."""

REFUSE = """
CREATE FUNCTION iw_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are insert-only: % of % refused', TG_OP, coalesce(TG_ARGV[0], TG_TABLE_NAME)
        USING ERRCODE = 'restrict_violation',
              HINT = 'Append a new row instead. Old months are removed as whole partitions.';
END $$
"""
REFUSE_COMMENT = """
COMMENT ON FUNCTION iw_audit_refuse() IS
'Trigger: refuses the statement. Its argument names the table, where a partition fires for its parent.'
"""

MAKE_PARTITION = """
CREATE FUNCTION iw_audit_make_partition(audit_table text, month date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first_day constant date := date_trunc('month', month)::date;
    midnight constant text := 'YYYY-MM-DD 00:00:00+00';
    name constant text := audit_table || CASE WHEN month IS NULL THEN '_default' ELSE to_char(month, '"_y"YYYY"m"MM') END;
BEGIN
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN name;
    END IF;
    IF month IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', name, audit_table);
    ELSE
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, audit_table,
            to_char(first_day, midnight), to_char(first_day + interval '1 month', midnight));
    END IF;
    -- Row triggers are cloned from the parent; a TRUNCATE of the partition alone would pass its trigger.
    EXECUTE format('CREATE TRIGGER iw_audit_no_truncate BEFORE TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION iw_audit_refuse()', name);
    RETURN name;
END $$
"""
MAKE_PARTITION_COMMENT = """
COMMENT ON FUNCTION iw_audit_make_partition(text, date) IS
'Makes the partition of an audit table for the month (UTC) of a date, or its default partition for NULL, and guards
it against TRUNCATE. Gives its name; one that exists is left as it is.'
"""

# As its owner: who may write one table of the configuration by SQL need not be able to write the counter. A counter
# that is not there yet is made with the first row, so that no row goes uncounted; a TRUNCATE of all tables makes none.
COUNT_TOUCH = """
CREATE FUNCTION iw_config_touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO iwrouting_revision (id, number, changed_at, touches, accounted) VALUES (1, 0, now(), 0, 0)
            ON CONFLICT DO NOTHING;
    END IF;
    UPDATE iwrouting_revision SET touches = touches + 1;
    RETURN NULL;
END $$
"""

# pg_temp last: unnamed it comes first, and a caller's temporary table would stand in for the counter, with triggers
# that run as the function's owner.
COUNT_TOUCH_PATH = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION iw_config_touch() SET search_path = %I, pg_temp', current_schema());
END $$
"""

MAKE_MONTHS = """
SELECT iw_audit_make_partition(
    %s, (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date)
FROM generate_series(0, %s) AS ahead
"""


def is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether the operation runs on PostgreSQL."""
    return schema_editor.connection.vendor == "postgresql"


class CreateFunctions(migrations.RunPython):
    """The functions of the database that make and guard partitions; nothing on SQLite."""

    def __init__(self) -> None:
        super().__init__(_create_functions, _drop_functions)


def _create_functions(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if is_postgresql(schema_editor):
        for statement in (REFUSE, REFUSE_COMMENT, MAKE_PARTITION, MAKE_PARTITION_COMMENT):
            schema_editor.execute(statement, None)


def _drop_functions(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if is_postgresql(schema_editor):
        schema_editor.execute("DROP FUNCTION iw_audit_make_partition(text, date)", None)
        schema_editor.execute("DROP FUNCTION iw_audit_refuse()", None)


class CreateAuditModel(migrations.CreateModel):
    """CreateModel for a table of the audit; its columns stand in the order of the fields on both databases."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make the table, with its partitions on PostgreSQL."""
        if not is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _create_partitioned(schema_editor, model)


def _create_partitioned(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> None:
    table = model._meta.db_table
    sql, _ = schema_editor.table_sql(model)
    schema_editor.execute(_partitioned(sql), None)
    schema_editor.execute("SELECT iw_audit_make_partition(%s, NULL)", [table])
    schema_editor.execute(MAKE_MONTHS, [table, MONTHS_AHEAD])
    for index in model._meta.indexes:
        schema_editor.add_index(model, index)


def _partitioned(create_table: str) -> str:
    """Django's CREATE TABLE with the key (id, decision_at), partitioned by decision_at."""
    head, inline_key, tail = create_table.rpartition(")")[0].partition(" PRIMARY KEY")
    if not inline_key or " PRIMARY KEY" in tail:
        raise ValueError(f"one column with an inline PRIMARY KEY was expected in: {create_table}")
    return f'{head}{tail}, PRIMARY KEY ("id", "decision_at")) PARTITION BY RANGE ("decision_at")'


class InsertOnly(migrations.RunPython):
    """Triggers of PostgreSQL that refuse changes of rows; on SQLite `iwrouting.reports.guards` sees to it after each migrate.

    It clones row triggers to the partitions, which guard themselves against TRUNCATE.
    """

    def __init__(self, *tables: str) -> None:
        self.tables = tables
        super().__init__(self._guard, self._unguard)

    def _guard(self, _apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for table in self.tables if is_postgresql(schema_editor) else ():
            schema_editor.execute(
                f"CREATE TRIGGER iw_audit_no_change BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION iw_audit_refuse('{table}')",
                None,
            )
            schema_editor.execute(
                f"CREATE TRIGGER iw_audit_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION iw_audit_refuse()",
                None,
            )

    def _unguard(self, _apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for table in self.tables if is_postgresql(schema_editor) else ():
            schema_editor.execute(f"DROP TRIGGER iw_audit_no_change ON {table}", None)
            schema_editor.execute(f"DROP TRIGGER iw_audit_no_truncate ON {table}", None)


class CountTouches(migrations.RunPython):
    """Triggers of PostgreSQL that count the statements which write to tables of the configuration, whoever sends them
    (design.md 7); on SQLite `iwrouting.reports.guards` sees to it after each migrate."""

    def __init__(self, *tables: str) -> None:
        self.tables = tables
        super().__init__(self._count, self._forget)

    def _count(self, _apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if not is_postgresql(schema_editor):
            return
        schema_editor.execute(COUNT_TOUCH, None)
        schema_editor.execute(COUNT_TOUCH_PATH, None)
        for table in self.tables:
            schema_editor.execute(
                f"CREATE TRIGGER iw_config_touched AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION iw_config_touch()",
                None,
            )

    def _forget(self, _apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if not is_postgresql(schema_editor):
            for name in (
                f"{table}_touched_{event}" for table in self.tables for event in ("insert", "update", "delete")
            ):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", None)
            return
        for table in self.tables:
            schema_editor.execute(f"DROP TRIGGER iw_config_touched ON {table}", None)
        schema_editor.execute("DROP FUNCTION iw_config_touch()", None)
