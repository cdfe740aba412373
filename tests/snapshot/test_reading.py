"""Reading the configuration waits for nobody who writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connection

from iwrouting.snapshot import load


def begun_by_load() -> list[str]:
    """How a thread's own connection begins to read."""
    begun: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        begun.extend([sql] if sql.startswith("BEGIN") else [])
        return execute(sql, *rest)

    # In memory, unlike in a file, readers meet the locks of the test's own transaction.
    with connection.execute_wrapper(note), suppress(OperationalError):
        load()
    connection.close()
    return begun


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's readers never wait for writers")
def test_load__on_sqlite__begins_without_a_claim_to_write(db: None) -> None:
    with ThreadPoolExecutor(1) as other:
        assert other.submit(begun_by_load).result(timeout=10) == ["BEGIN"], "BEGIN IMMEDIATE waits for the one writer"
