"""Fixtures: settings with other values, a mail server, a receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from iwrouting.conf import Settings, settings
from tests.alerts import servers

# These touch no database: the SQLite pass proves them for both.
collect_ignore = ["test_state.py", "test_telling.py", "test_away.py"] if connection.vendor == "postgresql" else []

Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """The settings with other values, and a folder of journals of this test alone."""

    def make(**values: Any) -> Settings:
        return settings().model_copy(update={"journal_dir": tmp_path / "journal", **values})

    return make


@pytest.fixture
def mail_server() -> Iterator[servers.MailServer]:
    with servers.mail_server() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[servers.Receiver]:
    with servers.receiver() as running:
        yield running
