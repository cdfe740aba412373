"""Read the whole configuration in one consistent transaction, and refuse one that would break routing (G4)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from iwrouting.models import Alias, ApiKey, Model, Override, Price, Project, Revision, Upstream
from iwrouting.models.changing import by_sql, open_change
from iwrouting.models.consistent import one_moment
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
    with one_moment():
        return {word: read_rows(rows) for word, rows in _stored().items()}, Revision.standing()


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
