"""`manage.py backup`: a whole copy beside a writer, and what it refuses."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from iwrouting.management.copying import CopyFailed, copy_folder, copy_sqlite
from tests.start.folder import Folder


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """A database in WAL mode into which one thread puts pairs of rows, each pair in a transaction, within the block."""
    ended, begun = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as link:
            link.execute("PRAGMA journal_mode=WAL")
            link.execute("PRAGMA wal_autocheckpoint=0")
            link.execute("CREATE TABLE pair (n INTEGER, half INTEGER, filling TEXT)")
            number = 0
            while not ended.is_set():
                number += 1
                link.execute("BEGIN IMMEDIATE")
                link.executemany("INSERT INTO pair VALUES (?, ?, ?)", [(number, half, "x" * 900) for half in (1, 2)])
                link.execute("COMMIT")
                if number == 200:
                    begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(20)
        yield
    finally:
        ended.set()
        thread.join()


def test_copy_beside_a_writer__is_of_one_moment_and_has_what_stands_in_the_wal(tmp_path: Path) -> None:
    with written_to(tmp_path / "live.sqlite3"):
        for number in range(3):
            copy_sqlite(tmp_path / "live.sqlite3", tmp_path / f"copy{number}")
    for number in range(3):
        with closing(sqlite3.connect(tmp_path / f"copy{number}")) as link:
            halves = "SELECT count(*), sum(half = 1), sum(half = 2), max(n) FROM pair"
            count, first, second, last = link.execute(halves).fetchone()
        assert (first, second) == (last, last)
        assert count >= 400
        assert (tmp_path / f"copy{number}").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["missing", "text"])
def test_database_that_is_none__is_no_backup(tmp_path: Path, damage: str) -> None:
    source = tmp_path / "live.sqlite3"
    if damage == "text":
        source.write_bytes(b"x" * 10_000)
    with pytest.raises(CopyFailed, match=r"live\.sqlite3 can't be copied"):
        copy_sqlite(source, tmp_path / "copy")
    assert source.exists() == (damage == "text")


def test_damaged_database__is_found_in_its_copy(tmp_path: Path) -> None:
    source = tmp_path / "live.sqlite3"
    with closing(sqlite3.connect(source)) as link:
        link.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)")
        link.executemany("INSERT INTO t VALUES (?, ?)", [(n, "x" * 500) for n in range(2000)])
        link.commit()
    whole = bytearray(source.read_bytes())
    whole[4096 * 20 : 4096 * 40] = b"\xff" * 4096 * 20
    source.write_bytes(whole)
    with pytest.raises(CopyFailed, match=r"the copy of .* is damaged, and so may the database be"):
        copy_sqlite(source, tmp_path / "copy")


def test_file_that_goes_meanwhile__is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "journal"
    source.mkdir()
    (source / "a").write_text("a")
    (source / "b").symlink_to(tmp_path / "gone")
    assert copy_folder(source, tmp_path / "copy") == 1
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["a"]
    assert copy_folder(tmp_path / "nowhere", tmp_path / "empty") == 0


def test_command__copies_journal_and_database_into_a_new_folder(prepared: Folder) -> None:
    target = prepared.work / "backup"
    done = prepared.manage("backup", str(target), IW_ENV="development")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "keep IW_SECRET_KEY, IW_AUDIT_KEY and IW_SECRETS_DIR elsewhere" in done.stderr
    assert sorted(path.name for path in target.iterdir()) == ["database.sqlite3", "journal"]
    assert target.stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(target / "database.sqlite3")) as link:
        assert link.execute("SELECT count(*) FROM iwrouting_alias").fetchone()[0] > 10
    again = prepared.manage("backup", str(target), IW_ENV="development")
    assert (again.returncode, again.stdout) == (1, "")
    assert f"{target} is there already: name a new folder for each backup." in again.stderr
