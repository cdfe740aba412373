"""The golden table once end to end: the sandbox reports it, the outcome's row holds its cost (G7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iwrouting.models import Price
from tests.live import ledger
from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.live.processes import manage
from tests.live.world import CHAT_ONLY
from tests.prices.golden import TABLE, Entry
from tests.sandbox.raw import hello

SERVED = ("gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5.1", "gpt-5-mini", CHAT_ONLY)
CODEX = "gpt-5.1-codex"


def shapes(api: str, models: tuple[str, ...]) -> list[Entry]:
    """What the sandbox can be made to report: a usage, under the default tier, now."""
    return [
        entry
        for entry in TABLE
        if entry["api"] == api and entry["model"] in models and set(entry["body"]) == {"usage"} and "at" not in entry
    ]


@pytest.fixture
def synced(live: Live) -> Live:
    """The service with the packaged prices of CHAT_ONLY; those of the others are the catalogue's, and the same."""
    if not Price.objects.using(ALIAS).filter(model_id=CHAT_ONLY, service_tier="flex").exists():
        manage(live.world.env, "prices_sync", "--yes", "--model", CHAT_ONLY)
        live.settle()
    return live


def costs(live: Live, path: str, entry: Entry, body: dict[str, Any]) -> tuple[int | None, str]:
    """What the outcome holds after a call whose provider reports this usage."""
    live.sandbox.plan([{"match": {"model": entry["model"]}, "fault": {"usage": entry["body"]["usage"]}}])
    got = live.post(path, body)
    assert got.status == 200, got.body
    outcome = ledger.record(got.headers["x-iw-decision-id"]).outcome
    assert bool(outcome.price_version) == (outcome.cost_pico is not None)
    return outcome.cost_pico, outcome.cost_state


def expected(entries: list[Entry]) -> dict[str, tuple[int | None, str]]:
    return {each["name"]: (each["pico"], "unpriced" if each["pico"] is None else "exact") for each in entries}


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_chat__as_the_sandbox_reports_it__costs_what_the_table_says(synced: Live, stream: bool) -> None:
    entries = shapes("chat", SERVED)
    assert len(entries) >= 40
    found = {
        each["name"]: costs(synced, "/v1/chat/completions", each, hello(each["model"], stream=stream))
        for each in entries
    }
    assert found == expected(entries)


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"], ids=["native", "translated"])
def test_responses__as_the_sandbox_reports_it__costs_what_the_table_says(live: Live, path: str, stream: bool) -> None:
    entries = [each for each in shapes("responses", (CODEX,)) if each["body"]["usage"] is not None]
    assert len(entries) >= 7
    asked = {"model": CODEX, "input": "Say hello"} if path == "/v1/responses" else hello(CODEX)
    found = {each["name"]: costs(live, path, each, {**asked, "stream": stream}) for each in entries}
    assert found == expected(entries)


def test_a_tier_that_has_a_price__is_priced_by_what_the_provider_reports(synced: Live) -> None:
    said = [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 300_000, "completion_tokens": 10}
    body = {"id": "c", "model": CHAT_ONLY, "service_tier": "flex", "choices": said, "usage": usage}
    synced.sandbox.plan([{"match": {"model": CHAT_ONLY}, "fault": {"raw_body": json.dumps(body)}}])
    synced.post("/v1/chat/completions", hello(CHAT_ONLY, service_tier="priority"))
    outcome = synced.the_record().outcome
    assert outcome.cost_pico == 300_000 * 100_000 + 10 * 375_000
    assert (outcome.cost_state, outcome.price_version) == ("exact", "genai-prices 0.2.3 flex >272000")
