"""What stands in a bundle: its sections, what their objects are called, and each field in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.db import models

from iwrouting.catalogue import pico
from iwrouting.models.contents import CONFIGURATION, IDENTITY, LEFT_OUT, Content
from iwrouting.planning.bundles.nodes import Mapped, Node, Sequence, Word
from iwrouting.pricing import usd_per_million
from iwrouting.types.faults import ALL_PROJECTS_NAME

SECTIONS: Mapping[str, str] = {
    "upstreams": "upstream",
    "projects": "project",
    "models": "model",
    "prices": "price",
    "aliases": "alias",
    "overrides": "override",
}
"""The sections in their order, and the kind of rows that each holds. API keys are in none."""

SECTION_OF: Mapping[str, str] = {word: section for section, word in SECTIONS.items()}

NAMES: Mapping[str, re.Pattern[str]] = {
    "override": re.compile(r"(?P<alias>\S+) for (?P<project>" + ALL_PROJECTS_NAME + r"|\S+)"),
    "price": re.compile(
        r"(?P<model_id>\S+) (?P<service_tier>\S+)(?: above (?P<above_input_tokens>[0-9]{1,9}))?"
        r" from (?P<valid_from>\S+)"
    ),
}
FORMS: Mapping[str, str] = {
    "override": "ALIAS for PROJECT, or ALIAS for all projects",
    "price": "MODEL TIER from TIME, or MODEL TIER above TOKENS from TIME",
}
PICO = "_pico"
"""The end of the columns that hold prices: in a bundle they are dollars per 1M tokens, by the rest of the name."""

MAX_DOLLARS = Decimal(1_000_000)
NUMBER = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,2})?")

Field: TypeAlias = "models.Field[Any, Any]"


class Number(str):
    """A number as it is to be written, digit by digit."""

    __slots__ = ()


def names_of(object_type: str) -> frozenset[str]:
    """The columns that an object's name holds, so that they do not stand in it again."""
    pattern = NAMES.get(object_type)
    return frozenset(pattern.groupindex if pattern else {IDENTITY[object_type]})


def fields_of(object_type: str) -> dict[str, Field]:
    """The fields that an object of a section may have, by their names in a bundle, in their order."""
    left_out = LEFT_OUT | names_of(object_type)
    columns = CONFIGURATION[object_type]._meta.concrete_fields
    return {field.name.removesuffix(PICO): field for field in columns if field.name not in left_out}


def is_required(field: Field) -> bool:
    """Whether an object has to say it."""
    return not (field.has_default() or field.blank or field.null)


def name_parts(object_type: str, name: str) -> Content:
    """The columns that an object's name holds. Raises ValueError for a name that is none."""
    if object_type not in NAMES:
        return {IDENTITY[object_type]: _named(object_type, IDENTITY[object_type], name)}
    found = NAMES[object_type].fullmatch(name)
    if found is None:
        raise ValueError(f"It must be called {FORMS[object_type]}.")
    return {column: _named(object_type, column, text) for column, text in found.groupdict().items()}


def _named(object_type: str, column: str, text: str | None) -> Any:
    field = next(each for each in CONFIGURATION[object_type]._meta.concrete_fields if each.name == column)
    return field.get_default() if text is None or text == ALL_PROJECTS_NAME else value_of(field, Word(0, text, False))


def value_of(field: Field, node: Node) -> Any:
    """What a field of a content is by a node. Raises ValueError that says what it must be, and not what it is."""
    if isinstance(node, Word) and node.is_null:
        if not field.null:
            raise ValueError(
                f"It can't be empty: write {_wanted(field)}{', or leave it out' * (not is_required(field))}."
            )
        return None
    value = _read(field, node)
    if isinstance(field, models.ForeignKey):
        return value
    if field.choices and value not in (words := [word for word, _ in field.flatchoices]):
        raise ValueError(f"Choose one of {', '.join(words)}.")
    try:
        field.clean(value, None)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return None if value == "" and field.null else plain(value)


def plain(value: Any) -> Any:
    """A value as contents hold it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def told(field: Field, value: Any) -> Any:
    """What stands in a bundle for a value of a content."""
    if value is not None and field.name.endswith(PICO):
        return Number(usd_per_million(value))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(field: Field, node: Node) -> Any:
    for kinds, read in READERS:
        if isinstance(field, kinds):
            return _money(node) if field.name.endswith(PICO) else read(node)
    raise TypeError(f"{field} can't stand in a bundle")


def _wanted(field: Field) -> str:
    return next(words for kinds, words in WORDS if isinstance(field, kinds))


def _flag(node: Node) -> bool:
    if isinstance(node, Word) and node.plain and node.text in ("true", "false"):
        return node.text == "true"
    raise ValueError("It must be true or false.")


def _names(node: Node) -> list[str]:
    if not isinstance(node, Sequence) or not all(isinstance(item, Word) for item in node.items):
        raise ValueError("It must be a list of names, such as [auto, fast].")
    return [item.text for item in node.items if isinstance(item, Word)]


def _number(node: Node) -> Decimal:
    if isinstance(node, Word) and NUMBER.fullmatch(node.text):
        return Decimal(node.text)
    raise ValueError("It must be a number.")


def _whole(node: Node) -> int:
    number = _number(node)
    if number != int(number):
        raise ValueError("It must be a whole number.")
    return int(number)


def _money(node: Node) -> int | None:
    number = _number(node)
    if number != round(number, 6) or not 0 <= number <= MAX_DOLLARS:
        raise ValueError("It must be dollars per 1M tokens, such as 2.5, with at most 6 decimals.")
    return pico(number)


def _time(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(_text(node))
    except ValueError:
        raise ValueError("It must be a time such as 2026-12-01T00:00:00Z.") from None
    if found.tzinfo is None:
        raise ValueError("It must say its zone: end it with Z for UTC.")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("It must be a time such as 2026-12-01T00:00:00Z.") from None


def _day(node: Node) -> date:
    try:
        return date.fromisoformat(_text(node))
    except ValueError:
        raise ValueError("It must be a day such as 2026-12-01.") from None


def _text(node: Node) -> str:
    if isinstance(node, Word):
        if "\0" in node.text:
            raise ValueError("It holds a character that no text may hold.")
        return node.text
    raise ValueError("It must be a text." if isinstance(node, Mapped) else "It must be one text, not a list.")


READERS: tuple[tuple[type[Field] | tuple[type[Field], ...], Callable[[Node], Any]], ...] = (
    (models.BooleanField, _flag),
    (models.JSONField, _names),
    (models.IntegerField, _whole),
    (models.FloatField, lambda node: float(_number(node))),
    (models.DateTimeField, _time),
    (models.DateField, _day),
    ((models.CharField, models.ForeignKey), _text),
)
WORDS: tuple[tuple[type[Field] | tuple[type[Field], ...], str], ...] = (
    (models.BooleanField, "true or false"),
    (models.JSONField, "[]"),
    ((models.IntegerField, models.FloatField), "a number"),
    (models.DateField, "a time"),
    ((models.CharField, models.ForeignKey), "''"),
)


def spoken(object_type: str, content: Content) -> Iterator[tuple[str, Any]]:
    """What a bundle says of an object: the fields that are not as they are by default."""
    for name, field in fields_of(object_type).items():
        value = content[field.name]
        if is_required(field) or value != field.get_default():
            yield name, told(field, value)
