"""Rows of the configuration as they were stored, by whatever way: each is checked before it is believed (G4)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models

from iwrouting.models import Alias, Model, Price, Upstream

Row = TypeVar("Row", bound=models.Model)

TYPES: tuple[tuple[type[models.Field[Any, Any]], type | tuple[type, ...], str], ...] = (
    (models.BooleanField, bool, "true or false"),
    (models.IntegerField, int, "a whole number"),
    (models.FloatField, (int, float), "a number"),
    (models.CharField, str, "a text"),
    (models.DateTimeField, datetime, "a time"),
    (models.DateField, date, "a date"),
)
"""What a column must give, by the class of its field; a DateTimeField is a DateField, as a datetime is a date."""

NAMED_BY: dict[type[models.Model], str] = {Alias: "name", Model: "model_id", Price: "model_id", Upstream: "slug"}
"""What a fault calls a row by. /readyz shows faults to everybody: keys and projects go by their row number."""


class SnapshotRefused(Exception):
    """The stored configuration would break routing; the former one goes on serving."""


def read_rows(rows: models.QuerySet[Row]) -> list[Row]:
    """All rows, each of the types that its columns promise. Raises SnapshotRefused that names the row."""
    try:
        found = list(rows)
    except (ValueError, TypeError, OverflowError):
        raise SnapshotRefused(_unreadable(rows.model)) from None
    for row in found:
        for fault in _faults(row):
            raise SnapshotRefused(f"{_label(row)}: {fault}")
    return found


def _faults(row: models.Model) -> Iterator[str]:
    for field in row._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            if getattr(row, field.attname) is not None and getattr(row, field.name) is None:
                yield f"its {field.name} does not exist"
        elif fault := _value_fault(field, getattr(row, field.attname)):
            yield f"{field.name} {fault}"


def _value_fault(field: models.Field[Any, Any], value: Any) -> str:
    if value is None:
        return "" if field.null else "is missing"
    if isinstance(field, models.JSONField):
        names = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        return "" if names else "must be a list of names"
    if fault := next(
        (words for kind, wanted, words in TYPES if isinstance(field, kind) and not isinstance(value, wanted)), ""
    ):
        return f"must be {fault}"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"  # the limits of a column let NaN pass: it is neither below nor above
    choices = [choice for choice, _ in field.flatchoices]
    return f"{value[:80]!r} is not one of {', '.join(choices)}" if choices and value not in choices else ""


def _label(row: models.Model) -> str:
    return f"{row._meta.verbose_name} {getattr(row, NAMED_BY.get(type(row), 'pk'))}"


def _unreadable(model: type[models.Model]) -> str:
    """Which row and column Django itself can't read: asked one by one, because a whole row fails as one."""
    manager = model._default_manager
    for pk in manager.order_by("pk").values_list("pk", flat=True):
        for field in model._meta.concrete_fields:
            row = manager.filter(pk=pk)
            try:
                list(row.values_list(field.attname))
            except (ValueError, TypeError, OverflowError):
                return f"{model._meta.verbose_name} {_name(row, model)}: {field.name} can't be read"
    return f"a row of the {model._meta.verbose_name_plural} can't be read"


def _name(row: models.QuerySet[Any], model: type[models.Model]) -> object:
    return row.values_list(NAMED_BY.get(model, "pk"), flat=True).first()
