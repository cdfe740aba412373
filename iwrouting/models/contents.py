"""Rows of the configuration as plain contents: fields by name, other rows by their names, times as text.

What a content holds is what a row says: its own key and the times of its saves are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import models

from iwrouting.models.aliases import Alias, Override
from iwrouting.models.base import ConfigModel
from iwrouting.models.keys import ApiKey
from iwrouting.models.prices import Price
from iwrouting.models.projects import Project
from iwrouting.models.targets import Model, Upstream

Content = Mapping[str, Any]

CONFIGURATION: Mapping[str, type[ConfigModel]] = {
    "upstream": Upstream,
    "project": Project,
    "model": Model,
    "price": Price,
    "alias": Alias,
    "override": Override,
    "key": ApiKey,
}
"""The kinds of rows by the word for them, in an order in which each stands after what it names."""

OBJECT_TYPES: Mapping[type[models.Model], str] = {model: word for word, model in CONFIGURATION.items()}
NAMED_BY: Mapping[type[models.Model], str] = {Upstream: "slug", Project: "slug", Model: "model_id", Alias: "name"}
IDENTITY: Mapping[str, str] = {
    "upstream": "slug",
    "project": "slug",
    "model": "model_id",
    "alias": "name",
    "key": "key_id",
}
"""The field by which others and the audit name a row: it stays as long as the row does."""

LEFT_OUT = frozenset({"id", "created_at", "updated_at"})
HIDDEN = frozenset({"sha256"})
"""Fields that no page, answer or bundle shows."""


def content_of(row: models.Model) -> dict[str, Any]:
    """The content of a row as it is in memory; the rows that it names must exist."""
    return {field.name: _value(row, field) for field in row._meta.concrete_fields if field.name not in LEFT_OUT}


def row_of(object_type: str, object_id: int | None, content: Content) -> models.Model:
    """A row that is not saved, with the rows that it names as rows that hold nothing but their names."""
    model: type[models.Model] = CONFIGURATION[object_type]
    fields = {field.name: field for field in model._meta.concrete_fields}
    values = {name: _stored(fields[name], value) for name, value in content.items() if name in fields}
    return model(pk=object_id, **values)


def name_of(object_type: str, content: Content) -> str:
    """What people call a row of this content."""
    if object_type == "override":
        return f"{content['alias']} for {content['project'] or 'all projects'}"
    if object_type == "price":
        above = f" above {content['above_input_tokens']}" if content["above_input_tokens"] else ""
        return f"{content['model_id']} {content['service_tier']}{above} from {content['valid_from']}"
    return str(content[IDENTITY[object_type]])


def differences(before: Content | None, after: Content | None) -> dict[str, list[Any]]:
    """`{field: [before, after]}` of what differs; None stands for a field, or a row, that is not there."""
    old, new = before or {}, after or {}
    names = dict.fromkeys([*new, *old])
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _value(row: models.Model, field: models.Field[Any, Any]) -> Any:
    value = getattr(row, field.attname)
    if value is None:
        return None
    if isinstance(field, models.ForeignKey):
        other = getattr(row, field.name)
        return getattr(other, NAMED_BY[type(other)])
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(field, models.DateField) else value


def _stored(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(field, models.ForeignKey):
        other = field.related_model
        return other(**{NAMED_BY[other]: value})
    return field.to_python(value) if isinstance(field, models.DateField) else value
