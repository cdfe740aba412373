"""Rows as the writer takes them: one dict a row, keyed by column, complete and clean.

`finish_row` is the one place through which values reach the audit tables: what a database would refuse is taken out
here, so that no row can poison its batch (faults.md T2). docs/audit.md says what becomes of each.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import models

from iwrouting.models import Attempt, BreakerEvent, Decision, HeldResponse, Outcome, QuarantinedRow

Row = dict[str, Any]

DECISION = Decision._meta.db_table
ATTEMPT = Attempt._meta.db_table
OUTCOME = Outcome._meta.db_table
BREAKER = BreakerEvent._meta.db_table
HELD = HeldResponse._meta.db_table
QUARANTINE = QuarantinedRow._meta.db_table

MAX_TEXT = 262_144
MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 64
MODELS: dict[str, type[models.Model]] = {
    DECISION: Decision,
    ATTEMPT: Attempt,
    OUTCOME: Outcome,
    BREAKER: BreakerEvent,
    HELD: HeldResponse,
    QUARANTINE: QuarantinedRow,
}
ORDER = tuple(MODELS)
LATE_USAGE = "responses.usage"
"""The endpoint of decisions that carry the time of an earlier call, whose usage was told later."""

NUMBERED = (DECISION, ATTEMPT, OUTCOME)
"""The tables whose rows are numbered and hashed."""


def _columns(model: type[models.Model], kind: type[models.Field[Any, Any]]) -> tuple[str, ...]:
    fields = model._meta.concrete_fields
    return tuple(str(field.column) for field in fields if isinstance(getattr(field, "target_field", field), kind))


def _blank(model: type[models.Model]) -> Row:
    return {str(field.column): _blank_value(field) for field in model._meta.concrete_fields}


def _blank_value(field: models.Field[Any, Any]) -> Any:
    if field.has_default():
        return field.get_default()
    return "" if isinstance(field, models.CharField | models.TextField) and not field.null else None


def _limits(model: type[models.Model]) -> tuple[tuple[str, int], ...]:
    texts = (field for field in model._meta.concrete_fields if isinstance(field, models.CharField | models.TextField))
    return tuple((str(field.column), field.max_length or MAX_TEXT) for field in texts)


def _integers(model: type[models.Model]) -> tuple[tuple[str, int], ...]:
    numbers = (field for field in model._meta.concrete_fields if isinstance(field, models.IntegerField))
    return tuple(
        (str(field.column), MAX_INTEGER if isinstance(field, models.BigIntegerField) else 2**31 - 1)
        for field in numbers
    )


BLANK = {table: _blank(model) for table, model in MODELS.items()}
LIMITS = {table: _limits(model) for table, model in MODELS.items()}
INTEGERS = {table: _integers(model) for table, model in MODELS.items()}
BOOLEANS = {table: _columns(model, models.BooleanField) for table, model in MODELS.items()}
IDS = {table: _columns(model, models.UUIDField) for table, model in MODELS.items()}
TIMES = {table: _columns(model, models.DateTimeField) for table, model in MODELS.items()}


def finish_row(table: str, values: Row) -> Row:
    """A complete row of one table: unnamed columns at their defaults, all values clean. Raises KeyError otherwise."""
    blank = BLANK[table]
    row = {**blank, **values}
    if len(row) != len(blank):
        raise KeyError(f"no such columns in {table}: {sorted(set(row) - set(blank))}")
    for column, limit in LIMITS[table]:
        text = row[column]
        if type(text) is not str or len(text) > limit or not text.isascii() or "\0" in text:
            row[column] = _clean(text, limit, blank[column])
    for column, most in INTEGERS[table]:
        number = row[column]
        if number is None:
            row[column] = blank[column]
        elif type(number) is not int or not -most <= number <= most:
            row[column] = _number(number, most, blank[column])
    for column in BOOLEANS[table]:
        row[column] = row[column] is True
    for column in TIMES[table]:
        moment = row[column]
        if moment is not None and (type(moment) is not datetime or moment.tzinfo is None):
            row[column] = _moment(moment)
    for column in IDS[table]:
        ident = row[column]
        if ident is not None and (type(ident) is not str or len(ident) > 36 or not ident.isascii() or "\0" in ident):
            row[column] = _clean(ident, 36, None)
    return row


def _clean(value: object, limit: int, default: str | None) -> str:
    """Text that a database takes. What stands for JSON stays JSON: too long, it is replaced, not cut."""
    text = value if isinstance(value, str) else _text(value)
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) <= limit:
        return text
    if default in ("[]", "{}"):
        lost = f'{{"too_large":{len(text)}}}'
        return f"[{lost}]" if default == "[]" else lost
    return text[:limit]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return _digits(value)
    return str(value) if isinstance(value, bool | int | float) else f"({type(value).__name__})"


def _digits(number: int) -> str:
    # str() of a long number takes quadratic time, and Python refuses it past 4300 digits.
    return str(number)[:MAX_DIGITS] if number.bit_length() < 10_000 else "(number)"


def _number(value: object, most: int, default: int | None) -> int | None:
    """Within the column's range: what is over it is its border, what is no number is the column's default."""
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        value = int(value)
    return max(-most, min(most, value)) if isinstance(value, int) else default


def _moment(value: object) -> datetime | None:
    return value.replace(tzinfo=value.tzinfo or UTC) if isinstance(value, datetime) else None


def as_json(value: object) -> str:
    """JSON text for a text column, of anything: what JSON or a database would refuse is replaced.

    NUL is taken out, a lone surrogate becomes `?`, a number over 64 bits its digits as text, what lies deeper than
    MAX_DEPTH `"(deeper)"`, and any other thing the name of its type.
    """
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        return orjson.dumps(_plain(value, 0)).decode()
    return text if "\\u0000" not in text else orjson.dumps(_plain(value, 0)).decode()


def _plain(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else _digits(value)
    if depth >= MAX_DEPTH:
        return "(deeper)"
    if isinstance(value, dict):
        return {_plain(str(key), depth): _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value]
    return f"({type(value).__name__})"
