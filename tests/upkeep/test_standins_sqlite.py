"""What the commands for PostgreSQL say on SQLite: what stands in for it, and that nothing was done."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from iwrouting.audit.keeping import partitions


@pytest.mark.parametrize(
    ("arguments", "said", "shown"),
    [
        (["roles", "--yes"], "SQLite has no roles: who can write the file can do all.", None),
        (["reporting", "grant", "--yes"], "SQLite has no roles: who can read the file can read all of it", None),
        (["partitions", "list"], "SQLite has no partitions: its tables are plain", []),
        (["partitions", "drain", "--yes"], "SQLite has no partitions: its tables are plain", []),
    ],
)
def test_command__sqlite__says_what_stands_in(
    arguments: list[str], said: str, shown: list[str] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(*arguments)
    words = capsys.readouterr()
    assert words.err.startswith(said)
    assert (json.loads(words.out)["partitions"] if words.out else None) == shown


def test_default_rows__sqlite__has_none() -> None:
    assert partitions.default_rows() == {}
    assert partitions.attached() == []
