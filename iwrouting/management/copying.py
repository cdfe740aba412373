"""Copies for a backup: of a folder whose files come and go, and of a SQLite database that is written to."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO

from iwrouting.conf.disk import sync_folder


class CopyFailed(Exception):
    """A copy that is not whole; the message says why."""


def copy_folder(source: Path, target: Path) -> int:
    """Copy the files of a folder to disk; how many there were. OSError where that fails.

    One that goes meanwhile is left out: a segment goes when the database has its rows.
    """
    target.mkdir(mode=0o700)
    count = 0
    for path in sorted(source.iterdir()) if source.is_dir() else ():
        try:
            _copy_file(path, target / path.name)
        except FileNotFoundError:
            (target / path.name).unlink(missing_ok=True)
        else:
            count += 1
    sync_folder(target)
    return count


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as given, _private(target) as made:
        shutil.copyfileobj(given, made)
        made.flush()
        os.fsync(made.fileno())


def copy_sqlite(source: Path, target: Path) -> int:
    """Copy a database as it is at one moment, with what still stands in its WAL, and check the copy; its bytes.

    One step under one read transaction: writers go on, and can't make it begin again. CopyFailed; OSError.
    """
    _private(target).close()
    # By its path alone a missing database would be made anew.
    there = f"{source.resolve().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(there, uri=True, timeout=5)) as given, closing(sqlite3.connect(target)) as made:
            given.backup(made)
            [found, *_] = made.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CopyFailed(f"{source} can't be copied: {error}") from None
    if found != "ok":
        raise CopyFailed(f"the copy of {source} is damaged, and so may the database be: {found}")
    with target.open("rb") as copied:
        os.fsync(copied.fileno())
    sync_folder(target.parent)
    return target.stat().st_size


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
