"""Folders as a new user has them. What stands here does not depend on the database of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.start.folder import Folder, Running

# These start on a SQLite file in a folder of their own whatever DATABASE_URL says, so one pass proves them.
# The commands that work on rows, in the other files, are tested on both databases.
OWN_FILE = (
    "backup",
    "demo",
    "first_start",
    "help",
    "make",
    "models_check",
    "provider",
    "refusals",
    "second_start",
    "stopping",
    "venv",
    "workers",
)
collect_ignore = [f"test_{name}.py" for name in OWN_FILE] if connection.vendor == "postgresql" else []

Make = Callable[..., Folder]


@pytest.fixture
def folders(first: Running, tmp_path: Path) -> Iterator[Make]:
    """Makes a folder in which nothing has been started; what runs in it is ended with the test."""
    made: list[Folder] = []

    def make(*, var: bool = False) -> Folder:
        made.append(first.folder.copy(tmp_path / str(len(made)), var=var))
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
def prepared(folders: Make) -> Folder:
    """A folder that has been started once, and stopped."""
    return folders(var=True)


@pytest.fixture(scope="module")
def new(first: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A folder for the tests of a file in which none of them makes anything."""
    folder = first.folder.copy(tmp_path_factory.mktemp("new"), var=False)
    yield folder
    folder.kill_all()
