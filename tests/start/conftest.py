"""Folders as a new user has them. What stands here does not depend on the database of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.start.folder import Folder, Running

# These start on a SQLite file in a folder of their own whatever DATABASE_URL says, so one pass proves them.
# The commands that work on rows, in the other files, are tested on both databases.
collect_ignore = [
    f"test_{name}.py"
    for name in ("first_start", "help", "make", "provider", "refusals", "second_start", "stopping", "venv", "workers")
    if connection.vendor == "postgresql"
]

Make = Callable[..., Folder]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Make]:
    """Makes a copy of the project, or of another copy; what runs in it is ended with the test."""
    made: list[Folder] = []

    def make(source: Folder | None = None) -> Folder:
        at = tmp_path / str(len(made))
        made.append(Folder.fresh(at, source.path) if source else Folder.fresh(at))
        return made[-1]

    yield make
    for folder in made:
        folder.kill_all()


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A first start that has been stopped again: its folder, with the database that it made, and what it said."""
    folder = Folder.fresh(tmp_path_factory.mktemp("first"))
    try:
        running = folder.up()
        assert running.interrupt() == 0, running.err
        yield running
    finally:
        folder.kill_all()


@pytest.fixture
def prepared(folders: Make, first: Running) -> Folder:
    """A copy of a folder that has been started once."""
    return folders(first.folder)
