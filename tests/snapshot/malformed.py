"""Rows as no save of ours would leave them."""

from __future__ import annotations

from django.db import connection

from tests.harness.changes import account


def spoil(table: str, column: str, value: str | bytes | float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE iwrouting_{table} SET {column} = %s", [value])  # noqa: S608 - names of our own
    account()
