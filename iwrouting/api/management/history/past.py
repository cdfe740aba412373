"""The configuration as of a revision or a time, row by row, in the shapes in which rows are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Max
from rest_framework import serializers

from iwrouting.api.management.fields import Choice, Moment
from iwrouting.api.management.resources import kinds
from iwrouting.api.management.resources.document import Described
from iwrouting.errors import BadRequest, NotFound
from iwrouting.models import Change, HistoryRow
from iwrouting.models.contents import name_of, row_of
from iwrouting.resolver import may_ask_alias
from iwrouting.snapshot.contents import NoSuchRevision, contents_at
from iwrouting.snapshot.moments import find_moment, read_moment
from iwrouting.types import ChangeKind, KeyFacts, Via
from iwrouting.types.faults import ObjectType

EVERY: tuple[Described, ...] = (
    kinds.ALIASES,
    kinds.OVERRIDES,
    kinds.PROJECTS,
    kinds.MODELS,
    kinds.UPSTREAMS,
    kinds.PRICES,
    kinds.KEYS,
)
SAVED = ("created_at", "updated_at")
"""Times of saves: history has those of the changes."""


class RevisionAnswer(serializers.Serializer[Any]):
    """A revision, the change that made it, and the whole configuration under it."""

    revision = serializers.IntegerField()
    at = Moment(allow_null=True, help_text="When it was committed; null for the empty one before all changes.")
    kind = Choice(ChangeKind, allow_null=True)
    author = serializers.CharField(allow_null=True)
    via = Choice(Via, allow_null=True)
    reason = serializers.CharField(allow_null=True)
    configuration = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()),
        help_text="The rows by their kind, such as aliases, in the shapes in which they are read.",
    )


def read_revision(key: KeyFacts, asked: str) -> Any:
    """The configuration as of a revision or a time, as far as the key sees it. Raises BadRequest or NotFound."""
    try:
        moment = find_moment(read_moment(asked))
        contents = contents_at(moment.revision)
    except ValueError as error:
        raise BadRequest(f"revision: {error}.", param="revision") from None
    except NoSuchRevision as error:
        raise NotFound(str(error), code="revision_not_found") from None
    line = Change.objects.filter(revision=moment.revision).first()
    made = {name: getattr(line, name, None) for name in ("at", "kind", "author", "via", "reason")}
    seen = {told.resource.path: _rows(key, told, contents, moment.revision) for told in EVERY if _sees(key, told)}
    return RevisionAnswer({"revision": moment.revision, **made, "configuration": seen}).data


def _rows(key: KeyFacts, told: Described, contents: Mapping[str, Any], revision: int) -> list[dict[str, Any]]:
    word = told.resource.object_type
    changed = HistoryRow.objects.filter(object_type=word, revision__lte=revision).order_by()
    last = dict(changed.values("object_id").annotate(last=Max("revision")).values_list("object_id", "last"))
    rows = [(pk, content) for pk, content in contents[word].items() if _may_see(key, word, content)]
    rows.sort(key=lambda each: name_of(word, each[1]))
    context = {"revisions": last}
    found = [told.resource.body(row_of(word, pk, content), context=context).data for pk, content in rows]
    return [{name: value for name, value in row.items() if name not in SAVED} for row in found]


def _sees(key: KeyFacts, told: Described) -> bool:
    return key.projects is None or told.resource.object_type in SHARED


SHARED = (ObjectType.ALIAS, ObjectType.OVERRIDE, ObjectType.PROJECT)
"""What a key for some projects sees, as far as it is its own."""


def _may_see(key: KeyFacts, word: str, content: Mapping[str, Any]) -> bool:
    rule = RULES.get(ObjectType(word))
    return rule is None or rule(key, content)


def _own(key: KeyFacts, slug: str | None) -> bool:
    return key.projects is None or slug in key.projects


def _granted(key: KeyFacts, content: Mapping[str, Any]) -> bool:
    return key.allowed_models is None or content["model_id"] in key.allowed_models


RULES: Mapping[ObjectType, Callable[[KeyFacts, Mapping[str, Any]], bool]] = {
    ObjectType.ALIAS: lambda key, content: may_ask_alias(key, content["name"]),
    ObjectType.OVERRIDE: lambda key, content: _own(key, content["project"]) and may_ask_alias(key, content["alias"]),
    ObjectType.PROJECT: lambda key, content: _own(key, content["slug"]),
    ObjectType.MODEL: _granted,
    ObjectType.PRICE: _granted,
}
