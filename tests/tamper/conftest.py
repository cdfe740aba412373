"""Fixtures of the tests of tamper evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests.audit_tables.owner import unguarded
from tests.tamper.chains import Chain

Attack = Callable[..., int]


@pytest.fixture
def attack(db: None) -> Attack:
    """Executes one statement as the owner of the tables, past the guards; gives how many rows it touched."""

    def execute(statement: str, *parameters: Any) -> int:
        with unguarded(connection), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)

    return execute


@pytest.fixture
def chain(db: None) -> Chain:
    """A writer that has ended, with three calls: decision, two attempts and outcome each, numbers 1 to 12."""
    chain = Chain()
    chain.calls(3)
    chain.tell(ended_at=chain.now())
    return chain
