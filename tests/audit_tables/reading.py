"""Reads a view the same way on both databases."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection


def select(sql: str) -> list[dict[str, Any]]:
    """The rows of a query, each by column name; values as SQLite gives them."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]


def columns(view: str) -> list[str]:
    """The columns of a view, in order."""
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, view)]


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None))
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, date) else value
