"""Audit rows are insert-only: every way to change or remove one is refused, on both databases."""

# ruff: noqa: S608 - the names of tables are our own
from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction

from iwrouting.models import Attempt, Decision, EnvironmentSnapshot
from tests.audit_tables import rows
from tests.audit_tables.checks import AT, AUDIT, contents, refused, run
from tests.audit_tables.owner import as_owner_clear_audit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]
each_table = pytest.mark.parametrize("model", AUDIT)


def a_column(model: type[models.Model]) -> str:
    return "values" if model is EnvironmentSnapshot else "writer_id"


@each_table
def test_orm__update_and_save__refused(model: type[models.Model]) -> None:
    table = model._meta.db_table
    row = model._default_manager.get()
    with refused(f"UPDATE of {table}"):
        model._default_manager.update(**{a_column(model): "x"})
    with refused(f"UPDATE of {table}"):
        row.save()
    with refused(f"UPDATE of {table}"):
        setattr(row, a_column(model), "x")
        model._default_manager.bulk_update([row], [a_column(model)])


@each_table
def test_orm__delete__refused(model: type[models.Model]) -> None:
    with refused(f"DELETE of {model._meta.db_table}"):
        model._default_manager.all().delete()
    with refused(f"DELETE of {model._meta.db_table}"):
        model._default_manager.get().delete()


@each_table
def test_sql__update_and_delete__refused(model: type[models.Model]) -> None:
    table = model._meta.db_table
    with refused(f"UPDATE of {table}"):
        run(f"""UPDATE {table} SET "{a_column(model)}" = 'x'""")
    with refused(f"DELETE of {table}"):
        run(f"DELETE FROM {table}")


def test_insert__further_rows__stored() -> None:
    of = rows.decision(AT)
    Attempt.objects.bulk_create(
        Attempt(**rows.audit_values(AT), decision=of, seq=seq, rung=0, kind="call", try_number=seq, endpoint="chat")
        for seq in (1, 2, 3)
    )
    rows.outcome(of, "interrupted", origin="sweeper")
    rows.outcome(of, "ok")
    assert [model._default_manager.count() for model in AUDIT] == [2, 4, 3, 1]


@pytest.mark.parametrize(
    "again",
    [
        lambda of: Decision.objects.create(**rows.decision_values(AT, id=of.id)),
        lambda of: rows.attempt(of, 1, 0),
        lambda of: rows.outcome(of, "error"),
        lambda of: rows.environment("e1", AT),
    ],
)
def test_insert__same_key__fails(again: Callable[[Decision], models.Model]) -> None:
    before = contents()
    with pytest.raises(IntegrityError), transaction.atomic():
        again(Decision.objects.get())
    assert contents() == before


def test_owner__clear_audit__empties_and_guards_again() -> None:
    as_owner_clear_audit(connection)
    assert contents() == [[], [], [], []]
    of = rows.decision(AT)
    rows.attempt(of, 1, 0)
    for table in (Decision._meta.db_table, Attempt._meta.db_table):
        with refused(f"DELETE of {table}"):
            run(f"DELETE FROM {table}")
