"""A database of one's own that can go away and come back: a PostgreSQL server, or a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.postgres import NAME, Cluster
from tests.harness.programs import find_postgres
from tests.live.databases import IS_POSTGRESQL


class SQLiteFile:
    """A file that can be moved away."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def url(self) -> str:
        """Its DATABASE_URL."""
        return f"sqlite:///{self.path}"

    def stop(self) -> None:
        """Move it away."""
        self.path.rename(self.path.with_suffix(".away"))

    def start(self) -> None:
        """Put it back. AssertionError where something has taken its place."""
        assert not self.path.exists(), "the service has made a database of its own"
        self.path.with_suffix(".away").rename(self.path)


@contextmanager
def fleeting_database(folder: Path) -> Iterator[Cluster | SQLiteFile]:
    """One of the kind that this run tests, empty."""
    if not IS_POSTGRESQL:
        yield SQLiteFile(folder / "fleeting.sqlite3")
        return
    programs = find_postgres()
    assert programs is not None
    # Not in `folder`: pytest's are its own user's alone, and the server runs as another.
    with TemporaryDirectory(prefix="iw-away-") as work:
        Path(work).chmod(0o711)
        cluster = Cluster(programs, Path(work))
        try:
            cluster.start()
            cluster.psql(f"CREATE DATABASE {NAME}")
            yield cluster
        finally:
            cluster.stop()
