"""SQLite's connection for Django: a service makes no new file where its database was moved away.

SQLite itself would, and an empty database beside the write-ahead log of the real one can spoil that when it comes back.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any

_file_needed = False


def need_file() -> None:
    """From now on a database file that is not there is an error in this process, not a new database."""
    global _file_needed
    _file_needed = True


class Connection(sqlite3.Connection):
    """A connection to a path, a URI or memory. Raises sqlite3.OperationalError for a file that must be there."""

    def __init__(self, database: str, *arguments: Any, **options: Any) -> None:
        is_path = not str(database).startswith((":", "file:"))
        if _file_needed and is_path and not os.path.isfile(database):
            raise sqlite3.OperationalError("the database file is not there")
        super().__init__(database, *arguments, **options)
