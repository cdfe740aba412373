"""Values of another type than their column's: SQLite stores them, so the snapshot refuses them."""

from __future__ import annotations

import pytest
from django.db import connection

from iwrouting.models import Project
from iwrouting.snapshot import SnapshotRefused, load
from tests.snapshot.malformed import spoil


@pytest.mark.parametrize(
    ("table", "column", "value", "fault"),
    [
        ("alias", "name", b"\x00", "name must be a text"),
        ("model", "context_window", "wide", "model gpt-4.1: context_window must be a whole number"),
        ("model", "shutdown_date", "2026-13-45", "model gpt-4.1: shutdown_date can't be read"),
        ("price", "input_pico", "cheap", "price gpt-4.1: input_pico must be a whole number"),
        ("price", "valid_from", "2026-13-45 00:00:00", "price gpt-4.1: valid_from can't be read"),
        ("upstream", "idle_timeout_s", "long", "upstream far: idle_timeout_s must be a number"),
        ("override", "starts_at", "2026-13-45 00:00:00", "starts_at can't be read"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(table: str, column: str, value: str | bytes, fault: str) -> None:
    spoil(table, column, value)
    with pytest.raises(SnapshotRefused) as caught:
        load()
    assert fault in str(caught.value)


def test_an_override_of_a_project_that_is_gone_does_not_become_a_global_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
    spoil("override", "project_id", 4711)
    with pytest.raises(SnapshotRefused, match="its project does not exist"):
        load()
    spoil("override", "project_id", Project.objects.get().pk)
