"""Rows as the writer takes them: one dict a row, keyed by column, complete and clean.

`finish_row` is the one place through which text reaches the audit tables: what a database would refuse (NUL,
lone surrogates, over-long values) is taken out here, so that no row can poison its batch (faults.md T2).
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models

from iwrouting.models import Attempt, BreakerEvent, Decision, HeldResponse, Outcome

Row = dict[str, Any]

DECISION = Decision._meta.db_table
ATTEMPT = Attempt._meta.db_table
OUTCOME = Outcome._meta.db_table
BREAKER = BreakerEvent._meta.db_table
HELD = HeldResponse._meta.db_table

MAX_TEXT = 262_144
MODELS: dict[str, type[models.Model]] = {
    DECISION: Decision,
    ATTEMPT: Attempt,
    OUTCOME: Outcome,
    BREAKER: BreakerEvent,
    HELD: HeldResponse,
}
ORDER = tuple(MODELS)


def _blank(model: type[models.Model]) -> Row:
    return {str(field.column): _blank_value(field) for field in model._meta.concrete_fields}


def _blank_value(field: models.Field[Any, Any]) -> Any:
    if field.has_default():
        return field.get_default()
    return "" if isinstance(field, models.CharField | models.TextField) and not field.null else None


def _limits(model: type[models.Model]) -> tuple[tuple[str, int], ...]:
    texts = (field for field in model._meta.concrete_fields if isinstance(field, models.CharField | models.TextField))
    return tuple((str(field.column), field.max_length or MAX_TEXT) for field in texts)


BLANK = {table: _blank(model) for table, model in MODELS.items()}
LIMITS = {table: _limits(model) for table, model in MODELS.items()}


def finish_row(table: str, values: Row) -> Row:
    """A complete row of one table: unnamed columns at their defaults, all text clean. Raises KeyError otherwise."""
    blank = BLANK[table]
    row = {**blank, **values}
    if len(row) != len(blank):
        raise KeyError(f"no such columns in {table}: {sorted(set(row) - set(blank))}")
    for column, limit in LIMITS[table]:
        text = row[column]
        if len(text) > limit or not text.isascii() or "\0" in text:
            row[column] = _clean(text, limit)
    return row


def _clean(text: str, limit: int) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:limit]


def as_json(value: object) -> str:
    """JSON text for a text column."""
    return orjson.dumps(value).decode()
