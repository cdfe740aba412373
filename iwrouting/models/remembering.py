"""What each touched row of the configuration became, measured against what history last said of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, Max, QuerySet
from django.utils import timezone

from iwrouting.models.base import Revision
from iwrouting.models.contents import CONFIGURATION, IDENTITY, content_of, differences, name_of
from iwrouting.models.history import Change, HistoryRow
from iwrouting.types import ChangeKind, Operation, Via

Touched = Collection[tuple[str, int]]


def history_rows(using: str, touched: Touched, revision: int, at: datetime) -> list[HistoryRow]:
    """Store what the touched rows became with a revision; what is as it was leaves nothing.

    The rows are read from the database: what a savepoint took back did not happen. Raises ValidationError for a row
    that would get another name.
    """
    found = []
    for object_type, pks in _by_type(touched):
        now, last = _contents(using, object_type, pks), last_rows(using, object_type, pks)
        found += [_row(object_type, pk, now.get(pk), last.get(pk)) for pk in pks]
    rows = [row for row in found if row is not None]
    for row in rows:
        row.revision, row.at = revision, at
    return HistoryRow.objects.using(using).bulk_create(rows)


def last_rows(using: str | None, object_type: str, pks: Collection[int] | None = None) -> dict[int, HistoryRow]:
    """What history last said of rows of a kind, of all where no keys are given; by the rows' keys."""
    rows = HistoryRow.objects.using(using).filter(object_type=object_type)
    rows = rows if pks is None else rows.filter(object_id__in=pks)
    newest = rows.order_by().values("object_id").annotate(newest=Max("id")).values("newest")
    return {row.object_id: row for row in HistoryRow.objects.using(using).filter(id__in=newest)}


def everything(using: str) -> set[tuple[str, int]]:
    """Every row that is there, and every row that history knows."""
    stored = {(word, pk) for word in CONFIGURATION for pk in _all(using, word).values_list("pk", flat=True)}
    return stored | {(word, pk) for word in CONFIGURATION for pk in last_rows(using, word)}


def begin_history(using: str) -> None:
    """Remember the rows of a configuration that is older than its history, as they stand (an upgrade)."""
    if Change.objects.using(using).exists() or not any(_all(using, word).exists() for word in CONFIGURATION):
        return
    counter, at = Revision.lock(using), timezone.now()
    history_rows(using, everything(using), counter.number, at)
    Change.objects.using(using).create(
        at=at,
        revision=counter.number,
        kind=ChangeKind.CONFIGURATION,
        author="iwrouting",
        via=Via.UPGRADE,
        reason="History begins: the configuration as it stood when this release came",
    )


def _by_type(touched: Touched) -> Iterator[tuple[str, list[int]]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for object_type, pk in sorted(touched):
        groups[object_type].append(pk)
    return ((word, groups[word]) for word in CONFIGURATION if groups[word])


def _all(using: str | None, object_type: str) -> QuerySet[Any]:
    return CONFIGURATION[object_type]._default_manager.using(using)


def _contents(using: str, object_type: str, pks: Collection[int]) -> dict[int, dict[str, Any]]:
    fields = CONFIGURATION[object_type]._meta.concrete_fields
    others = [field.name for field in fields if isinstance(field, ForeignKey)]
    rows = _all(using, object_type).filter(pk__in=pks)
    rows = rows.select_related(*others) if others else rows
    # Through JSON, so that it compares with what is stored as JSON: 5 and 5.0, tuples and lists.
    return {row.pk: json.loads(_text(content_of(row))) for row in rows}


def _row(object_type: str, pk: int, now: Mapping[str, Any] | None, last: HistoryRow | None) -> HistoryRow | None:
    before = json.loads(last.content) if last is not None and last.operation != Operation.DELETE else None
    changed = differences(before, now)
    content = now if now is not None else before
    if content is None or not changed:
        return None
    operation = Operation.CREATE if before is None else Operation.DELETE if now is None else Operation.CHANGE
    if operation is Operation.CHANGE and IDENTITY.get(object_type, "") in changed:
        raise ValidationError(
            f"The {object_type} {name_of(object_type, before or {})} can't become {name_of(object_type, content)}: its "
            "name stays with its decisions. Make a new one."
        )
    return HistoryRow(
        object_type=object_type,
        object_id=pk,
        name=name_of(object_type, content),
        operation=operation,
        content=_text(content),
        changed="{}" if operation is Operation.DELETE else _text(changed),
    )


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, cls=DjangoJSONEncoder)
