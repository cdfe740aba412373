"""Before any test module is imported: the helpers whose assertions are to speak, and what one pass proves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from tests.harness.changes import changes_by_tests, strict_changes
from tests.harness.static import static_files_found_once

__all__ = ["changes_by_tests", "static_files_found_once", "strict_changes"]

pytest.register_assert_rewrite("tests.live.ledger", "tests.live.live", "tests.live.processes")

# Pure rooms, sandbox, client and tooling open no database, and what the others named here prove happens on the wire,
# on a form, on disk or in a browser: the SQLite pass proves them for both.
collect_ignore = (
    [
        "admin/test_again_page.py",
        "admin/test_archive.py",
        "admin/test_bundle_page.py",
        "admin/test_model_form.py",
        "admin/test_price_sync.py",
        "admin/test_reasons.py",
        "admin/test_replace_page.py",
        "admin/test_resolve_page.py",
        "admin/test_restore_page.py",
        "admin/test_rules.py",
        "admin/test_show.py",
        "admin/test_vectors.py",
        "api/test_authority.py",
        "api/test_openapi.py",
        "api/test_sockets.py",
        "audit/test_books.py",
        "audit/test_journal.py",
        "audit/test_modes.py",
        "audit/test_quarantine.py",
        "audit/test_writer.py",
        "autoroute",
        "browser",
        "client",
        "commands/test_gitops_page.py",
        "commands/test_matrix.py",
        "commands/test_matrix_replace.py",
        "faults/test_campaign.py",
        "faults/test_client.py",
        "faults/test_cuts.py",
        "faults/test_llmock.py",
        "faults/test_upstream.py",
        "fuzz",
        "live/test_adapting.py",
        "live/test_alerts.py",
        "live/test_auto.py",
        "live/test_bad_input.py",
        "live/test_breakers.py",
        "live/test_breakers_left.py",
        "live/test_chains.py",
        "live/test_client.py",
        "live/test_client_report.py",
        "live/test_deadlines.py",
        "live/test_deep_bodies.py",
        "live/test_disconnects.py",
        "live/test_drain.py",
        "live/test_embedding_rules.py",
        "live/test_embeddings.py",
        "live/test_fallbacks.py",
        "live/test_going_on.py",
        "live/test_golden_costs.py",
        "live/test_guards_and_costs.py",
        "live/test_hostile_answers.py",
        "live/test_ladder.py",
        "live/test_lifecycle.py",
        "live/test_limits.py",
        "live/test_matrix.py",
        "live/test_metrics.py",
        "live/test_mode_mismatch.py",
        "live/test_parameters.py",
        "live/test_reconcile_page.py",
        "live/test_resources.py",
        "live/test_responses.py",
        "live/test_responses_faults.py",
        "live/test_sdk_errors.py",
        "live/test_sdk_responses.py",
        "live/test_sdk_types.py",
        "live/test_serve.py",
        "live/test_slow_callers.py",
        "live/test_stock_bodies.py",
        "live/test_stops.py",
        "live/test_stream_cuts.py",
        "live/test_stream_early.py",
        "live/test_stream_faults.py",
        "live/test_stream_timers.py",
        "live/test_streams.py",
        "live/test_strict.py",
        "live/test_translation.py",
        "meters",
        "planning/test_bundle_files.py",
        "planning/test_validating.py",
        "prices/test_docs.py",
        "prices/test_golden.py",
        "prices/test_lists.py",
        "pure",
        "sandbox",
        "snapshot/test_disk.py",
        "snapshot/test_glass.py",
        "test_harness.py",
        "test_house.py",
        "test_imports.py",
        "test_promises.py",
        "test_settings_page.py",
        "translate",
        "upstream",
    ]
    if connection.vendor == "postgresql"
    else []
)

if "IW_TEST_PROMETHEUS" not in os.environ:
    # `make prometheus` runs it, and installs what it needs.
    collect_ignore.append("prometheus")

LONGEST = (
    "faults/test_points.py",
    "faults/test_outages.py",
    "browser/test_operator.py",
    "faults/test_storm.py",
    "faults/test_upstream.py",
    "faults/test_client.py",
    "start/test_stopping.py",
    "live/test_crash.py",
    "live/test_serve.py",
    "live/test_database_away.py",
    "live/test_backup.py",
    "live/test_changes.py",
)
"""The files that take longest and mostly wait. Each runs in one of three processes: begun last it would hold up all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all else in its order."""
    folder = Path(__file__).parent
    rank = {folder / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
