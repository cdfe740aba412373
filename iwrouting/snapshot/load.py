"""Read the whole configuration in one consistent transaction, and refuse one that would break routing (G4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from iwrouting.models import Alias, ApiKey, Model, Override, Price, Project, Revision, Upstream
from iwrouting.models.changing import by_sql, open_change
from iwrouting.snapshot.assemble import Rows, assemble
from iwrouting.snapshot.rows import SnapshotRefused, read_rows
from iwrouting.types import Configuration


def load() -> Configuration:
    """The configuration as committed now; inside a change, as it stands there.

    Raises SnapshotRefused, also for one that was changed by SQL and not adopted (design.md 7), or a database error.
    """
    rows, counter = read_all()
    if counter.is_touched and open_change() is None:
        raise SnapshotRefused(by_sql(counter))
    return assemble(rows, counter.number)


def read_all() -> tuple[Rows, Revision]:
    """All rows, and the counter under which they stand, of one moment. Raises SnapshotRefused, or a database error."""
    with _one_moment():
        return {word: read_rows(rows) for word, rows in _stored().items()}, Revision.standing()


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees one moment and waits for nobody; inside another one, that."""
    database: Any = connection
    if database.in_atomic_block:
        yield
        return
    database.ensure_connection()  # a new one would set its mode anew
    usual = getattr(database, "transaction_mode", None)
    try:
        if database.vendor == "sqlite":
            database.transaction_mode = None  # the usual IMMEDIATE waits for the one writer
        with transaction.atomic():
            database.transaction_mode = usual
            if database.vendor == "postgresql":
                with database.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        database.transaction_mode = usual


def _stored() -> dict[str, QuerySet[Any]]:
    return {
        "upstream": Upstream.objects.all(),
        "project": Project.objects.all(),
        "model": Model.objects.select_related("upstream"),
        "price": Price.objects.all(),
        "alias": Alias.objects.order_by("id"),
        "override": Override.objects.select_related("alias", "project"),
        "key": ApiKey.objects.select_related("project"),
    }
