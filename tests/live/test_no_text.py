"""No prompt, no answer and no secret leaves the process for rows, logs, journals, health pages or errors (G6)."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, APIStatusError

from tests.live.ledger import everything_stored
from tests.live.live import Live
from tests.live.locking import audit_locked, wait_until_drained
from tests.live.world import CHAT_ONLY, DENIED, WRONG_KEY
from tests.sandbox.raw import hello

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
FIRST = "gpt-5.1"


def everywhere(live: Live) -> dict[str, str]:
    """Every place that outlives a call, as text."""
    return {
        "rows": everything_stored(),
        "words of the service": live.service.words,
        "log of the sandbox": live.sandbox.log_path.read_text(),
        "/readyz": str(live.service.get("/readyz")[1]),
        "/v1/models": live.get("/v1/models").body.decode(),
        "/metrics": metrics(live),
        "journals and snapshot": kept_in_files(live),
    }


def metrics(live: Live) -> str:
    """What Prometheus is told."""
    got = live.get("/metrics", live.tenant(scopes=["read_audit"]))
    assert b"iwrouting_audit_queue" in got.body
    return got.body.decode()


def kept_in_files(live: Live) -> str:
    """All bytes in the folder of the journals."""
    folder = Path(live.world.env["IW_JOURNAL_DIR"])
    return "".join(path.read_bytes().decode("latin-1") for path in folder.iterdir() if path.is_file())


def nowhere(live: Live, *phrases: str) -> None:
    assert len(live.records()) > 0
    found = [(place, phrase) for place, text in everywhere(live).items() for phrase in phrases if phrase in text]
    assert found == []


def prompt(canary: str, model: str) -> dict[str, Any]:
    """A request with the phrase in every field that may hold text."""
    tool = {"name": f"f_{canary}", "description": canary, "parameters": {"type": "object", "title": canary}}
    call = {"id": canary, "type": "function", "function": {"name": f"f_{canary}", "arguments": f'{{"a": "{canary}"}}'}}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": canary},
            {"role": "user", "name": canary, "content": [{"type": "text", "text": f"call f_{canary} {canary}"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": canary, "content": canary},
            {"role": "user", "content": f"call f_{canary}"},
        ],
        "tools": [{"type": "function", "function": tool}],
        "user": canary,
        "metadata": {canary: canary},
        "prompt_cache_key": canary,
        "safety_identifier": canary,
    }


@pytest.fixture
def canary() -> str:
    return f"canary{secrets.token_hex(8)}"


@pytest.mark.parametrize("model", ["auto", "manager", "fast"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_text_of_a_call__stands_nowhere(live: Live, canary: str, model: str, streamed: bool) -> None:
    got = live.post(CHAT, {**prompt(canary, model), "stream": streamed})
    assert got.status == 200
    assert canary.encode() in got.body
    nowhere(live, canary)


@pytest.mark.parametrize("model", ["manager", CHAT_ONLY])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_text_of_a_response__stands_nowhere(live: Live, canary: str, model: str, streamed: bool) -> None:
    asked = prompt(canary, model)
    function = {**asked["tools"][0]["function"], "type": "function"}
    items = [{"role": "user", "content": canary}, {"role": "user", "content": f"call f_{canary}"}]
    body = {"model": model, "input": items, "instructions": canary, "tools": [function]}
    got = live.post(RESPONSES, {**body, "user": canary, "metadata": {canary: canary}, "stream": streamed})
    assert (got.status, canary.encode() in got.body) == (200, True)
    nowhere(live, canary)


def test_text_that_a_stored_response_holds__stands_nowhere(live: Live, canary: str) -> None:
    made = live.client().responses.create(model=FIRST, input=canary, background=True)
    for _ in range(2):
        assert live.client().responses.retrieve(made.id).id == made.id
    assert live.get(f"{RESPONSES}/{canary}").status == 404
    live.sandbox.plan([{"fault": echo(canary, 500)}])
    with pytest.raises(APIStatusError):
        live.client().responses.retrieve(made.id)
    nowhere(live, canary)


def test_text_of_embeddings_and_resolves__stands_nowhere(live: Live, canary: str) -> None:
    live.embed([f"{canary} one", f"{canary} two"], user=canary)
    live.resolve("auto", messages=[{"role": "user", "content": canary}])
    nowhere(live, canary)


def echo(canary: str, status: int) -> dict[str, Any]:
    error = {"message": f"Bad: {canary}", "type": "invalid_request_error", "param": "messages", "code": None}
    return {"status": status, "body": {"error": error, "prompt": canary}, "headers": {"x-echo": canary}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 500, 503])
def test_text_that_the_provider_echoes__stands_nowhere(live: Live, canary: str, status: int) -> None:
    live.sandbox.plan([{"fault": echo(canary, status)}])
    for streamed in (False, True):
        with pytest.raises(APIStatusError):
            live.chat("manager", canary, stream=streamed)
    with pytest.raises(APIStatusError):
        live.embed(canary)
    nowhere(live, canary)


def test_text_that_a_stream_echoes__stands_nowhere(live: Live, canary: str) -> None:
    error = {"message": canary, "type": "server_error", "param": None, "code": None}
    live.sandbox.plan(
        [{"match": {"model": FIRST}, "fault": {"error_event_after_events": {"events": 4, "error": error}}}]
    )
    with pytest.raises(APIError) as caught:
        live.stream("manager", canary)
    assert canary in caught.value.message
    nowhere(live, canary)


@pytest.mark.parametrize("body", [b'{"model": "fast", "messages": [%s', b'{"model": "fast", "input": {"x": "%s"}}'])
def test_text_of_a_refused_request__stands_nowhere(live: Live, canary: str, body: bytes) -> None:
    live.chat("fast")
    for path in (CHAT, "/v1/embeddings", "/api/v1/resolve"):
        assert live.post(path, body % canary.encode()).status == 400
    nowhere(live, canary)


LEAKS: dict[str, dict[str, Any]] = {
    "in a refusal": {"status": 400, "body": {"error": {"message": f"Key {WRONG_KEY} has no credit", "type": "x"}}},
    "as a bearer": {
        "status": 422,
        "body": {"error": {"message": f"Sent: Authorization: Bearer {WRONG_KEY}", "type": "x"}},
    },
    "in every field": {
        "status": 404,
        "body": {"error": {"message": WRONG_KEY, "type": WRONG_KEY, "code": WRONG_KEY, "param": WRONG_KEY}},
        "headers": {"x-request-id": WRONG_KEY},
    },
    "in a 500": {"status": 500, "body": {"error": {"message": WRONG_KEY, "type": "x"}}},
    "as plain text": {"status": 400, "raw_body": f"bad key {WRONG_KEY}"},
    "in an answer": {"raw_body": f'{{"error": {{"message": "{WRONG_KEY}", "type": "invalid_request_error"}}}}'},
}


@pytest.mark.parametrize("name", LEAKS)
def test_key_that_the_provider_echoes__is_masked_everywhere(live: Live, name: str) -> None:
    # The plan can't know a request without a good key by its model, so this one's fault is for all.
    live.sandbox.plan([{"fault": LEAKS[name]}])
    for model in (DENIED, FIRST):
        with pytest.raises(APIStatusError) as caught:
            live.chat(model)
        assert WRONG_KEY not in caught.value.response.text
        assert WRONG_KEY not in str(caught.value.response.headers)
    nowhere(live, WRONG_KEY)


def test_key_that_a_stream_echoes__is_masked_everywhere(live: Live) -> None:
    error = {"message": f"key {WRONG_KEY}", "type": WRONG_KEY, "param": WRONG_KEY, "code": WRONG_KEY}
    live.sandbox.plan(
        [{"match": {"model": FIRST}, "fault": {"error_event_after_events": {"events": 4, "error": error}}}]
    )
    got = live.post(CHAT, hello("manager", stream=True))
    assert b"[redacted]" in got.body
    assert WRONG_KEY.encode() not in got.body
    nowhere(live, WRONG_KEY)


def test_text_of_calls_in_the_journal__stands_nowhere(live: Live, canary: str) -> None:
    key = live.home.key
    load = [prompt(canary, "fast"), {**prompt(canary, "fast"), "stream": True}, prompt(canary, "no-such-name")]
    with audit_locked(), ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda body: live.post(CHAT, body), load))
        journal = kept_in_files(live)
    assert [got.status for got in answers] == [200, 200, 404]
    assert all(got.headers["x-iw-decision-id"] in journal for got in answers)
    assert [phrase for phrase in (canary, key) if phrase in journal] == []
    wait_until_drained(live)
    assert {record.outcome.result for record in live.records()} == {"ok", "refused"}


def test_keys_of_callers__stand_nowhere(live: Live) -> None:
    live.chat("fast")
    typo = live.home.key[:-1] + ("0" if live.home.key[-1] != "0" else "1")
    for key in (typo, f"{live.home.key}x", live.home.key.upper()):
        got = live.post(CHAT, hello("fast"), None, authorization=f"Bearer {key}")
        assert got.status == 401
        assert key[14:] not in got.body.decode()
    nowhere(live, live.home.key[14:], live.home.key[14:].upper(), 'sk-sandbox"')


USED = {"prompt_tokens": 3, "completion_tokens": 2, "of PHRASE": 4, "details": {"of PHRASE": 4}}
ENDED = [{"index": 0, "message": {"content": "x"}, "finish_reason": "the PHRASE"}]
QUOTING: dict[str, dict[str, Any]] = {
    "codes": {"status": 400, "body": {"error": {"type": "a PHRASE", "code": "says PHRASE", "param": "PHRASE !"}}},
    "names and reasons": {"status": 200, "body": {"choices": ENDED, "usage": USED}},
    "id of the request": {"status": 400, "headers": {"x-request-id": "for PHRASE"}},
}


@pytest.mark.parametrize("fault", QUOTING.values(), ids=QUOTING)
def test_words_of_a_provider_that_quote_the_prompt__are_not_stored(
    live: Live, canary: str, fault: dict[str, Any]
) -> None:
    live.sandbox.plan([{"fault": json.loads(json.dumps(fault).replace("PHRASE", canary))}])
    live.post(CHAT, hello(FIRST))
    assert len(live.the_record().calls) == 1
    assert canary not in everything_stored() + live.service.words
