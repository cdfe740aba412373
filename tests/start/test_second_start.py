"""A second start finds everything there: it makes nothing, shows no secret, and leaves edits alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.start import web
from tests.start.folder import Folder, Running

TABLES = ("auth_user", "iwrouting_apikey", "iwrouting_project", "iwrouting_alias", "iwrouting_model")
EDITS = (
    "UPDATE iwrouting_alias SET default_model = 'gpt-5.1' WHERE name = 'fast'",
    "DELETE FROM iwrouting_alias WHERE name = 'summary'",
    "UPDATE auth_user SET username = 'ada' WHERE username = 'admin'",
    # As if these had been edits by the admin, and not by SQL.
    "UPDATE iwrouting_revision SET number = number + 1, accounted = touches",
)


@dataclass
class Again:
    """A folder that was started, stopped, edited and started again; what it held in between."""

    folder: Folder
    running: Running
    rows: dict[str, list[tuple[object, ...]]]
    secret_key: str


@pytest.fixture(scope="module")
def again(first: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    folder = first.folder.copy(tmp_path_factory.mktemp("again"))
    with closing(database(folder)) as link, link:
        for statement in EDITS:
            assert link.execute(statement).rowcount == 1
    before, secret_key = rows(folder), secret_key_of(folder)
    try:
        yield Again(folder, folder.up(), before, secret_key)
    finally:
        folder.kill_all()


def database(folder: Folder) -> sqlite3.Connection:
    return sqlite3.connect(folder.path / "var" / "iwrouting.sqlite3")


def rows(folder: Folder) -> dict[str, list[tuple[object, ...]]]:
    with closing(database(folder)) as link:
        return {table: link.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in TABLES}  # noqa: S608


def secret_key_of(folder: Folder) -> str:
    return (folder.path / "var" / "secret_key").read_text()


def test_it_makes_nothing_and_keeps_what_was_edited_or_deleted(again: Again) -> None:
    assert rows(again.folder) == again.rows
    assert secret_key_of(again.folder) == again.secret_key


def test_it_shows_no_secret(again: Again) -> None:
    assert "iw_" not in again.running.out
    assert "shown this once" not in again.running.out


def test_it_names_the_superuser_that_there_is(again: Again) -> None:
    assert again.running.word(r"User +(.*)\n") == "ada"
    assert "manage.py changepassword ada" in again.running.out


def test_the_first_key_still_works(again: Again, first: Running) -> None:
    answer = web.call(again.running.url, first.word(r"API key +(iw_\w+)"), model="fast")
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"].startswith("sandbox: gpt-5.1 ")


def test_the_first_password_still_works(again: Again, first: Running) -> None:
    with web.browser(again.running.url) as client:
        assert "Log out" in web.log_in(client, "ada", first.word(r"password (\S+) "))
