"""Whoever writes to a table of the configuration by SQL is noticed, and what he wrote is in force nowhere.

Our own changes are never taken for that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from iwrouting.models import Alias, Model, Override, Project, Revision, change
from iwrouting.models.contents import CONFIGURATION
from iwrouting.snapshot import SnapshotStore, load
from iwrouting.types import Via

IS_POSTGRESQL = connection.vendor == "postgresql"
TABLES = {word: model._meta.db_table for word, model in CONFIGURATION.items()}
UNIQUE: dict[str, dict[str, Any]] = {
    "upstream": {"slug": "other"},
    "project": {"slug": "other", "external_id": None},
    "model": {"model_id": "other"},
    "price": {"model_id": "other"},
    "alias": {"name": "other"},
    "override": {"project_id": None},
    "key": {"key_id": "0123456789", "sha256": "0" * 64},
}
"""What a second row of each kind must not share with the first."""


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def copy(word: str) -> None:
    """INSERT: another row like the one that is there."""
    table, other = TABLES[word], UNIQUE[word]
    columns = [str(field.column) for field in CONFIGURATION[word]._meta.concrete_fields if field.column != "id"]
    taken = ", ".join("%s" if name in other else name for name in columns)
    values = [other[name] for name in columns if name in other]
    sql(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table} LIMIT 1", *values)  # noqa: S608


def update(word: str) -> None:
    sql(f"UPDATE {TABLES[word]} SET updated_at = updated_at")  # noqa: S608 - our own names, here and below


def delete(word: str) -> None:
    """DELETE: of the copy, which nothing names."""
    copy(word)
    Revision.objects.update(accounted=F("touches"))
    sql(f"DELETE FROM {TABLES[word]} WHERE id = (SELECT max(id) FROM {TABLES[word]})")  # noqa: S608


def truncate(word: str) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"TRUNCATE {TABLES[word]} CASCADE")


WRITES: list[Callable[[str], None]] = [copy, update, delete, *([truncate] if IS_POSTGRESQL else [])]


@pytest.fixture
def store() -> SnapshotStore:
    """A worker's holder, with the configuration in it."""
    made = SnapshotStore()
    made.check()
    assert not made.fault
    return made


@pytest.mark.parametrize("write", WRITES)
def test_each_write_to_each_table__is_isolated(store: SnapshotStore, write: Callable[[str], None]) -> None:
    before = store.current
    for word in TABLES:
        with transaction.atomic():
            write(word)
            store.check()
            assert store.fault.startswith("snapshot refused: the configuration was changed by SQL after revision "), (
                word
            )
            assert store.current is before
            assert store.note.startswith("configuration_not_refreshed")
            fresh = SnapshotStore()
            fresh.check()
            assert fresh.fault == store.fault
            assert fresh.current == before
            transaction.set_rollback(True)
        store.check()
        assert not store.fault


def test_sql_before_the_first_change__is_isolated() -> None:
    Revision.objects.all().delete()
    copy("project")
    assert (Revision.standing().number, Revision.standing().is_touched) == (0, True)
    fresh = SnapshotStore()
    fresh.check()
    assert fresh.fault.startswith("snapshot refused: the configuration was changed by SQL after revision 0")
    assert not fresh.current.database


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no functions with an owner")
def test_a_temporary_table__does_not_stand_in_for_the_counter(store: SnapshotStore) -> None:
    sql("CREATE TEMPORARY TABLE iwrouting_revision (touches bigint) ON COMMIT DROP")
    sql("INSERT INTO iwrouting_revision VALUES (0)")
    update("alias")
    with connection.cursor() as cursor:
        cursor.execute("SELECT touches FROM iwrouting_revision")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT touches <> accounted FROM public.iwrouting_revision")
        assert cursor.fetchone() == (True,)


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no MERGE, and its UPSERT is an INSERT")
def test_copy_and_merge__are_writes_too(store: SnapshotStore) -> None:
    sql("INSERT INTO iwrouting_project SELECT * FROM iwrouting_project ON CONFLICT (slug) DO UPDATE SET name = 'x'")
    assert Revision.standing().is_touched


def test_sql_that_is_rolled_back__is_nothing(store: SnapshotStore) -> None:
    with suppress(KeyError), transaction.atomic():
        update("alias")
        raise KeyError
    store.check()
    assert not store.fault


def by_ann() -> Any:
    return change(author="ann", via=Via.CLI, reason="A test of touches")


def save() -> None:
    Alias.objects.get().save()


def many() -> None:
    with by_ann():
        for number in range(3):
            Model(model_id=f"m{number}", endpoints=["chat"]).save()
        Model.objects.get(model_id="m1").delete()


def cascade() -> None:
    with by_ann():
        Alias.objects.get().delete()


def savepoint() -> None:
    with by_ann():
        save()
        with suppress(KeyError), transaction.atomic():
            Project(slug="gone").save()
            raise KeyError


def savepoint_alone() -> None:
    with by_ann(), suppress(KeyError), transaction.atomic():
        Override.objects.get().delete()
        raise KeyError


def nested() -> None:
    with by_ann():
        save()
        with by_ann():
            save()


def failed() -> None:
    with suppress(KeyError), by_ann():
        save()
        raise KeyError


def nothing() -> None:
    with by_ann():
        pass


@pytest.mark.parametrize("ours", [save, many, cascade, savepoint, savepoint_alone, nested, failed, nothing])
@pytest.mark.usefixtures("strict_changes")
@pytest.mark.parametrize("inside", [True, False], ids=["inside another", "alone"])
def test_our_own_changes__never_look_like_sql(ours: Callable[[], None], inside: bool) -> None:
    with by_ann() if inside or ours is save else nullcontext():
        ours()
    assert not Revision.standing().is_touched
    assert load().revision == Revision.current()


def test_a_counter_that_was_moved_too__is_refused_like_it(store: SnapshotStore) -> None:
    before = store.current
    sql("UPDATE iwrouting_revision SET number = number + 7")
    update("alias")
    store.check()
    assert "was changed by SQL" in store.fault
    assert "There is no revision" in store.fault
    assert store.current is before
