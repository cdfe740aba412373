"""Before any test module is imported: the helpers whose assertions are to speak, and what one pass proves."""

from __future__ import annotations

import pytest
from django.db import connection

pytest.register_assert_rewrite("tests.live.ledger", "tests.live.live", "tests.live.processes")

# Pure rooms, sandbox, client and tooling open no database, and what the others named here prove happens on the wire
# or in a browser: the SQLite pass proves them for both.
collect_ignore = (
    [
        "audit/test_books.py",
        "audit/test_journal.py",
        "audit/test_modes.py",
        "audit/test_quarantine.py",
        "audit/test_writer.py",
        "autoroute",
        "browser",
        "client",
        "faults/test_cuts.py",
        "faults/test_llmock.py",
        "fuzz",
        "live/test_deadlines.py",
        "live/test_embedding_rules.py",
        "live/test_golden_costs.py",
        "live/test_mode_mismatch.py",
        "live/test_reconcile_page.py",
        "live/test_resources.py",
        "live/test_sdk_errors.py",
        "live/test_sdk_responses.py",
        "live/test_sdk_types.py",
        "live/test_slow_callers.py",
        "live/test_stream_early.py",
        "live/test_stream_faults.py",
        "live/test_stream_timers.py",
        "pure",
        "sandbox",
        "start/test_demo.py",
        "translate",
        "upstream",
        "test_harness.py",
        "test_house.py",
        "test_imports.py",
        "test_promises.py",
    ]
    if connection.vendor == "postgresql"
    else []
)
