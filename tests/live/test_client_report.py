"""What a client answered while it could not reach us is told at its next contact, and changes no answer."""

from __future__ import annotations

import json

from tests.live.live import Live

REPORT = "3;since=2026-11-22T10:00:00Z"


def test_report_on_a_recorded_request__is_a_warning_of_its_decision(live: Live) -> None:
    called = live.chat("fast", client=live.client(x_iw_client_fallbacks=REPORT))
    assert f"client_fallbacks: {REPORT}" in json.loads(called.record.decision.warnings)


def test_report_with_a_peek__is_logged_and_leaves_answer_and_etag_alone(live: Live) -> None:
    plain = live.get("/api/v1/resolve?alias=fast")
    telling = live.get("/api/v1/resolve?alias=fast", x_iw_client_fallbacks=REPORT)
    assert (telling.headers["etag"], telling.body) == (plain.headers["etag"], plain.body)
    assert REPORT in live.service.words


def test_malformed_report__is_ignored(live: Live) -> None:
    called = live.chat("fast", client=live.client(x_iw_client_fallbacks="lots"))
    assert "client_fallbacks" not in called.record.decision.warnings
