"""Before any test module is imported: the helpers whose assertions are to speak, and what one pass proves."""

from __future__ import annotations

import pytest
from django.db import connection

pytest.register_assert_rewrite("tests.live.ledger", "tests.live.live", "tests.live.processes")

# Pure rooms, sandbox, client and tooling open no database: the SQLite pass proves them for both.
collect_ignore = (
    [
        "autoroute",
        "client",
        "faults/test_cuts.py",
        "faults/test_llmock.py",
        "fuzz",
        "pure",
        "sandbox",
        "translate",
        "upstream",
        "test_harness.py",
        "test_house.py",
        "test_imports.py",
    ]
    if connection.vendor == "postgresql"
    else []
)
