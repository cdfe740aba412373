"""Rows of the configuration as JSON, in both directions: strict about types, and about names that nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from iwrouting.api.management.fields import Moment
from iwrouting.models import Project
from iwrouting.models.base import ConfigModel
from iwrouting.snapshot.moments import moment_text

CONTROLS = ("change_reason", "acknowledge", "dry_run")
"""What a body says beside the row: why, which findings were seen, and whether it is only to be tried."""


class Typed(serializers.Field[Any, Any, Any, Any]):
    """A value of the JSON type that its field promises, and none that looks like it."""

    takes: ClassVar[tuple[type, ...]] = ()
    otherwise: ClassVar[str] = ""

    def to_internal_value(self, data: Any) -> Any:
        """The value. Raises ValidationError."""
        if not isinstance(data, self.takes) or (isinstance(data, bool) and bool not in self.takes):
            raise serializers.ValidationError(self.otherwise, code="invalid")
        return super().to_internal_value(data)


class Text(Typed, serializers.CharField):
    """Text."""

    takes, otherwise = (str,), "Must be a text."


class Slug(Typed, serializers.SlugField):
    """A slug."""

    takes, otherwise = (str,), "Must be a text."


class Whole(Typed, serializers.IntegerField):
    """A whole number."""

    takes, otherwise = (int,), "Must be a whole number."


class Number(Typed, serializers.FloatField):
    """A number."""

    takes, otherwise = (int, float), "Must be a number."


class Switch(Typed, serializers.BooleanField):
    """True or false."""

    takes, otherwise = (bool,), "Must be true or false."


class Day(Typed, serializers.DateField):
    """A date."""

    takes, otherwise = (str,), "Must be a date such as 2026-11-01."


class Names(Typed, serializers.ListField):
    """A list of texts."""

    takes, otherwise = (list,), "Must be a list of texts."

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Text(), **options)


@extend_schema_field({"type": "string"})
class RowName(serializers.Field[Any, Any, Any, Any]):
    """Another row, by what it is called: in answers by the first of the columns, in requests by any."""

    def __init__(self, rows: type[ConfigModel], *columns: str, **options: Any) -> None:
        super().__init__(**options)
        self.rows, self.columns = rows, columns

    def to_internal_value(self, data: Any) -> Any:
        """The row. Raises ValidationError."""
        if isinstance(data, str) and data and "\0" not in data:
            for column in self.columns:
                if (row := self.rows._default_manager.filter(**{column: data}).first()) is not None:
                    return row
        one = self.rows._meta.verbose_name
        listed = str(self.rows._meta.verbose_name_plural).lower()
        text = f"There is no {one} {str(data)[:80]!r}: GET /api/v1/{listed} lists what there is."
        raise serializers.ValidationError(text, code="does_not_exist")

    def to_representation(self, value: Any) -> str:
        """What it is called."""
        return str(getattr(value, self.columns[0]))


def project_name(**options: Any) -> Any:
    """A project by its slug; in requests also by its external id: neither means two."""
    return RowName(Project, "slug", "external_id", **options)


class KnownFields(serializers.Serializer[Any]):
    """A body that may say nothing but what is known (ux.md 3, Types)."""

    def to_internal_value(self, data: Any) -> Any:
        """The known fields. Raises ValidationError for an unknown one."""
        refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


class RowBody(serializers.ModelSerializer[Any]):
    """Base of the rows' bodies. `revision` is the one that last changed the row: its ETag."""

    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: Switch,
        models.CharField: Text,
        models.DateField: Day,
        models.DateTimeField: Moment,
        models.FloatField: Number,
        models.JSONField: Names,
        models.PositiveIntegerField: Whole,
        models.PositiveBigIntegerField: Whole,
        models.BigIntegerField: Whole,
        models.SlugField: Slug,
    }
    revision = serializers.SerializerMethodField(help_text="That last changed it: its ETag.")
    change_reason = Text(required=False, write_only=True, help_text="Why; or the header x-change-reason.")
    acknowledge = Names(required=False, write_only=True, help_text="Findings that you have seen, by code or key.")
    dry_run = Switch(required=False, write_only=True, help_text="True: say what it would do, and do nothing.")

    def get_revision(self, row: Any) -> int:
        """The number."""
        return int(self.context["revisions"].get(row.pk, 0))

    def to_internal_value(self, data: Any) -> Any:
        """The known fields. Raises ValidationError for an unknown one (ux.md 3, Types)."""
        refuse_unknown(data, [name for name, field in self.fields.items() if not field.read_only])
        return super().to_internal_value(data)

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """DRF's field; that a name is free is asked where the row is written, under the lock."""
        made, options = super().build_standard_field(field_name, model_field)
        if "validators" in options:
            options["validators"] = [each for each in options["validators"] if not isinstance(each, UniqueValidator)]
        if made is Names:
            options = {name: value for name, value in options.items() if name not in ("encoder", "decoder")}
        return made, options


def refuse_unknown(data: Any, known: Collection[str]) -> None:
    """Raise ValidationError for a field that nobody knows."""
    if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(known))):
        text = f"Unknown field; known are {', '.join(known)}."
        raise serializers.ValidationError({str(unknown[0]): text}, code="unknown_field")


def defaults_of(model: type[models.Model], body: RowBody, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a PUT makes of the fields that it leaves out: what they are on a new row."""
    names = {str(field.source) for field in body.fields.values() if not field.read_only}
    fields = [model._meta.get_field(name) for name in sorted(names - set(said) - set(CONTROLS))]
    return {field.name: field.get_default() for field in fields if isinstance(field, models.Field) and field.blank}


def is_same(stored: Any, said: Any) -> bool:
    """Whether a value says what is stored; times are told to the millisecond, and mean what they tell."""
    if hasattr(stored, "astimezone") and hasattr(said, "astimezone"):
        return moment_text(stored) == moment_text(said)
    return bool(stored == said)
