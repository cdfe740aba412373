"""The backend's telemetry from end to end: what was called, asked for by the client that the backend imports."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from openai import PermissionDeniedError

from iwrouting import client
from iwrouting.client import (
    RouterUnavailable,
    areset_telemetry,
    atelemetry,
    call_model_for_mode,
    call_model_for_role,
    configure,
    reset_telemetry,
    telemetry,
)
from tests.live import ledger
from tests.live.live import Live
from tests.live.test_auto import CODE, FAST


def message(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


@pytest.fixture
def backend(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The client for a key that may call and read the audit."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "IW_BASE_URL", "IW_API_KEY")):
            monkeypatch.delenv(name)
    configure(base_url=live.service.url, api_key=live.tenant(scopes=["call", "resolve", "read_audit"]).key)
    yield live
    client.close()
    configure()


def test_what_was_called__is_told_and_a_reset_begins_anew(backend: Live) -> None:
    backend.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": "model_gone"}])
    call_model_for_mode("auto", message(CODE))
    call_model_for_mode("auto", message(FAST))
    call_model_for_role("manager", message("Hello"))
    found = ledger.eventually(lambda: told if (told := telemetry("1h"))["calls"] == 3 else None, "the outcomes")
    assert found["auto_routes"] == {"code": 1, "research": 0, "fast": 1, "deep": 0}
    assert found["fallback"] == {"attempts": 1, "successes": 1, "rungs": 1}
    [manager] = [each for each in found["aliases"] if each["alias"] == "manager"]
    assert (manager["calls"], manager["fallback"]["successes"]) == (1, 1)
    assert reset_telemetry()["calls"] == 3
    assert (telemetry()["window"], telemetry()["calls"]) == ("reset", 0)


def test_the_async_twins__tell_the_same(backend: Live) -> None:
    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        found = await areset_telemetry(), await atelemetry("reset")
        await client.aclose()
        return found

    before, after = asyncio.run(both())
    assert (before["window"], before["calls"]) == ("24h", 0)
    assert after["from"] == before["reset_at"]


def test_a_key_that_may_not_read_the_audit__is_told_so(backend: Live) -> None:
    configure(base_url=backend.service.url, api_key=backend.home.key)
    with pytest.raises(PermissionDeniedError, match="read_audit"):
        telemetry()


def test_without_the_service__nothing_is_made_up(backend: Live) -> None:
    configure(base_url="http://127.0.0.1:9", api_key=backend.home.key)
    for ask in (telemetry, reset_telemetry):
        with pytest.raises(RouterUnavailable):
            ask()
