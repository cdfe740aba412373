"""The change list: who changed what, when, by which way, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iwrouting.api.management.fields import Choice, Moment
from iwrouting.api.management.resources.cursors import CursorPage
from iwrouting.api.management.resources.document import PlannedRow
from iwrouting.api.management.resources.filters import Filters, one_of, text, times, whole
from iwrouting.api.management.resources.writing import told
from iwrouting.errors import NotFound
from iwrouting.models import Change, HistoryRow
from iwrouting.types import ChangeKind, KeyFacts, Via
from iwrouting.types.faults import ObjectType

FILTERS: Filters = {
    "author": text("author"),
    "via": one_of("via", Via),
    "kind": one_of("kind", ChangeKind),
    **times("at"),
    "revision__gte": whole("revision__gte", "From this revision on."),
    "revision__lt": whole("revision__lt", "Before this revision."),
    "revision__lte": whole("revision__lte", "Up to this revision."),
}
ABOUT: Filters = {
    "object_type": one_of("object_type", ObjectType, "That wrote a row of this kind. "),
    "name": text("name", "That wrote a row of this name, such as manager for atlas."),
}


class ChangeLine(serializers.Serializer[Any]):
    """One line of the change list."""

    id = serializers.CharField(source="pk")
    at = Moment()
    revision = serializers.IntegerField(allow_null=True, help_text="Null where no row of the configuration changed.")
    kind = Choice(ChangeKind)
    author = serializers.CharField(help_text="A person, or iw_ and the id of a key.")
    via = Choice(Via)
    reason = serializers.CharField()
    row_count = serializers.SerializerMethodField(help_text="Rows that it wrote.")

    def get_row_count(self, line: Change) -> int:
        """How many."""
        return int(self.context["counts"].get(line.revision, 0))


class ChangePage(CursorPage):
    """Lines, newest first."""

    results = ChangeLine(many=True)


class ChangeAnswer(ChangeLine):
    """One line, with what became of each row."""

    rows = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField(help_text="Such as the findings that were acknowledged.")

    @extend_schema_field(PlannedRow(many=True))
    def get_rows(self, line: Change) -> list[dict[str, Any]]:
        """Each with what changed."""
        return [told(row) for row in self.context["rows"]]

    def get_details(self, line: Change) -> dict[str, Any]:
        """What is stored with it; nothing for a key that sees a part of it alone."""
        found: dict[str, Any] = json.loads(line.details) if self.context["whole"] else {}
        return found


def seen_rows(key: KeyFacts) -> QuerySet[HistoryRow]:
    """The history that a key may see: a key for some projects that of these and of their overrides, one with a list of
    aliases or models that of these."""
    rows = HistoryRow.objects.all()
    if key.projects is not None:
        rows = rows.filter(_named(ObjectType.PROJECT, key.projects, ObjectType.OVERRIDE, "endswith", " for {}"))
    if key.allowed_aliases is not None:
        own = _named(ObjectType.ALIAS, key.allowed_aliases, ObjectType.OVERRIDE, "startswith", "{} for ")
        rows = rows.filter(own | ~Q(object_type__in=(ObjectType.ALIAS, ObjectType.OVERRIDE)))
    if key.allowed_models is not None:
        own = _named(ObjectType.MODEL, key.allowed_models, ObjectType.PRICE, "startswith", "{} ")
        rows = rows.filter(own | ~Q(object_type__in=(ObjectType.MODEL, ObjectType.PRICE)))
    return rows


def _named(word: str, names: Iterable[str], other: str, lookup: str, form: str) -> Q:
    """Rows of these names, and those of another kind whose names hold one of them."""
    found = Q(object_type=word, name__in=names)
    for name in names:
        found |= Q(**{"object_type": other, f"name__{lookup}": form.format(name)})
    return found


def sees_all(key: KeyFacts) -> bool:
    """Whether nothing of the configuration is hidden from a key."""
    return key.projects is None and key.allowed_aliases is None and key.allowed_models is None


def seen_lines(key: KeyFacts, about: Mapping[str, Any]) -> QuerySet[Change]:
    """The lines that a key may see; `about`: those that wrote such a row."""
    lines = Change.objects.all()
    if sees_all(key) and not about:
        return lines
    return lines.filter(revision__in=seen_rows(key).filter(**about).order_by().values("revision"))


def line_page(key: KeyFacts, lines: Sequence[Change]) -> Any:
    """Lines as the answer has them."""
    revisions = [line.revision for line in lines if line.revision is not None]
    rows = seen_rows(key).filter(revision__in=revisions).order_by()
    counts = dict(rows.values("revision").annotate(count=Count("pk")).values_list("revision", "count"))
    return ChangeLine(lines, many=True, context={"counts": counts}).data


def read_line(key: KeyFacts, number: str) -> Any:
    """One line with its rows. Raises NotFound."""
    digits = number.isascii() and number.isdigit() and len(number) < 19
    line = seen_lines(key, {}).filter(pk=number).first() if digits else None
    if line is None:
        raise NotFound(f"There is no change '{number[:80]}' for this key: GET /api/v1/changes lists them.")
    rows = [] if line.revision is None else list(seen_rows(key).filter(revision=line.revision).order_by("pk"))
    context = {"counts": {line.revision: len(rows)}, "rows": rows, "whole": sees_all(key)}
    return ChangeAnswer(line, context=context).data
