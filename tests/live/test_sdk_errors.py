"""Every class of error reaches a client of the SDK as the right exception, with code, param, text and request id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from openai import APIError, APIStatusError, OpenAI

from tests.live.live import Live, events
from tests.live.sdk_types import CHAT, strict
from tests.live.world import DENIED, HASTY
from tests.sandbox.raw import Raw, hello

NATIVE, TRANSLATED = "gpt-4.1", "gpt-5.1-codex"
MEMBERS = {"message", "type", "param", "code"}
HELLO: Any = [{"role": "user", "content": "Say hello"}]
AUDIO = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]
FAILED = "all_candidates_failed"


def refusal(status: int, code: str | None, param: str | None = None) -> dict[str, Any]:
    error = {"message": "Not like this (sandbox).", "type": "invalid_request_error", "param": param, "code": code}
    return {"status": status, "body": {"error": error}}


@dataclass(frozen=True)
class Case:
    """A request that fails, and the exception that it must raise; `override` is the model put for `manager`."""

    kind: type[APIStatusError]
    status: int
    code: str | None
    param: str | None = None
    fault: Any = None
    more: dict[str, Any] = field(default_factory=dict)
    key: dict[str, Any] | str = ""
    override: str = ""


CASES: dict[str, Case] = {
    "our 400": Case(openai.BadRequestError, 400, "invalid_request", "n", more={"n": 1000}),
    "its 400": Case(openai.BadRequestError, 400, "invalid_value", "stop", refusal(400, "invalid_value", "stop")),
    "its 400 without a code": Case(openai.BadRequestError, 400, None, None, refusal(400, None)),
    "what can't be translated": Case(
        openai.BadRequestError,
        400,
        "unsupported_parameter",
        "messages[0].content[0].input_audio",
        more={"model": TRANSLATED, "messages": AUDIO},
    ),
    "policy": Case(openai.BadRequestError, 400, "content_policy_violation", None, "content_policy"),
    "no such key": Case(openai.AuthenticationError, 401, "invalid_api_key", key="iw_no-such-key"),
    "key that may not call": Case(openai.PermissionDeniedError, 403, "missing_scope", key={"scopes": ["resolve"]}),
    "unknown model": Case(openai.NotFoundError, 404, "model_not_found", "model", more={"model": "manger"}),
    "too large": Case(APIStatusError, 413, None, None, refusal(413, None)),
    "unprocessable": Case(openai.UnprocessableEntityError, 422, "bad_shape", None, refusal(422, "bad_shape")),
    "quota": Case(openai.RateLimitError, 429, "insufficient_quota", None, "quota"),
    "our account": Case(openai.InternalServerError, 502, "upstream_auth", override=DENIED, more={"model": "manager"}),
    "all failed": Case(openai.InternalServerError, 502, FAILED, None, {"status": 500}, {"model": "manager"}),
    "all overloaded": Case(openai.InternalServerError, 503, FAILED, None, "overloaded", {"model": "manager"}),
    "failed inside a 200": Case(
        openai.InternalServerError,
        502,
        FAILED,
        None,
        {"failed": {"code": "server_error", "message": "Broken (sandbox)."}},
        {"model": TRANSLATED},
    ),
    "html": Case(openai.InternalServerError, 502, FAILED, None, "html", {"model": "manager"}),
}
OF_OURS = {"our 400", "no such key", "key that may not call", "unknown model"}
"""Refused before any call: nothing says that a retry is useless, and the status alone says so."""


def client_of(live: Live, case: Case) -> OpenAI:
    """The validating SDK with the key of a case."""
    tenant = live.tenant({"manager": case.override} if case.override else {})
    if isinstance(case.key, dict):
        return strict(live).with_options(api_key=live.key(tenant.row, **case.key))
    return strict(live).with_options(api_key=case.key or tenant.key)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("name", CASES)
def test_error__is_the_right_exception_with_all_that_a_client_reads(live: Live, name: str, streamed: bool) -> None:
    case = CASES[name]
    if case.fault is not None:
        live.sandbox.plan([{"fault": case.fault}])
    asked: dict[str, Any] = {"model": NATIVE, "messages": HELLO, **case.more}
    with client_of(live, case) as client, pytest.raises(case.kind) as caught:
        client.chat.completions.create(**asked, stream=streamed)
    error = caught.value
    assert type(error) is case.kind
    assert (error.status_code, error.code, error.param) == (case.status, case.code, case.param)
    assert isinstance(error.body, dict)
    assert MEMBERS <= set(error.body) <= MEMBERS | {"details"}
    assert isinstance(error.type, str)
    assert error.body["message"]
    assert error.body["message"] in str(error) or str(error) == error.message
    assert error.request_id == error.response.headers["x-request-id"]
    assert error.response.headers["content-type"] == "application/json"
    hint = error.response.headers.get("x-should-retry")
    assert hint == "false" or name in OF_OURS


def test_unknown_model__is_said_in_the_words_that_clients_look_for(live: Live) -> None:
    with strict(live) as client, pytest.raises(openai.NotFoundError, match=r"does not exist.*manager"):
        client.chat.completions.create(model="manger", messages=HELLO)


def test_timeout__is_a_504(live: Live) -> None:
    live.sandbox.plan([{"fault": "no_answer"}])
    with strict(live) as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=HASTY, messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == (504, FAILED)


BUSY = {"message": "Busy (sandbox).", "type": "server_error", "param": None, "code": "busy"}
MID_STREAM: dict[str, tuple[str, Any, str]] = {
    "cut": (NATIVE, {"cut_after_events": 4}, "stream_body_cut"),
    "end without a reason": (NATIVE, {"cut_after_events": 4, "clean_end": True}, "stream_truncated"),
    "error event": (NATIVE, {"error_event_after_events": {"events": 4, "error": BUSY}}, "busy"),
    "translated, cut": (TRANSLATED, {"cut_after_events": 9}, "stream_body_cut"),
    "translated, error": (TRANSLATED, {"error_event_after_events": {"events": 9, "error": BUSY}}, "busy"),
    "translated, failed": (
        TRANSLATED,
        {"error_event_after_events": {"events": 9, "error": BUSY, "form": "failed"}},
        "busy",
    ),
}


def listen(client: OpenAI, model: str, said: list[str]) -> None:
    """Take a stream's words until it breaks off."""
    for chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
        said += [choice.delta.content for choice in chunk.choices if choice.delta.content]


@pytest.mark.parametrize("name", MID_STREAM)
def test_error_after_output__is_an_api_error_with_its_code(live: Live, name: str) -> None:
    model, fault, code = MID_STREAM[name]
    live.sandbox.plan([{"match": {"model": model}, "fault": fault}])
    said: list[str] = []
    with strict(live) as client, pytest.raises(APIError) as caught:
        listen(client, model, said)
    assert said
    assert (type(caught.value), caught.value.code, bool(caught.value.message)) == (APIError, code, True)
    assert isinstance(caught.value.body, dict)
    assert set(caught.value.body) == MEMBERS
    assert isinstance(caught.value.type, str)


def refused(live: Live) -> list[Raw]:
    """Answers of errors from every floor of the service, over a bare socket."""
    nobody = "Bearer iw_nobody"
    return [
        live.post(CHAT, b"{"),
        live.post(CHAT, b"[]"),
        live.post(CHAT, b"x" * 1_100_000),
        live.post(CHAT, hello("manger")),
        live.post(CHAT, hello("fast"), authorization=nobody),
        live.post(CHAT, hello("fast"), x_iw_hop="1"),
        live.post("/v1/embeddings", {"model": "embedding", "input": []}),
        live.post("/v1/no/such/path", {}),
        live.post("/api/v1/resolve", {"alias": "manger"}),
        live.get(CHAT),
        live.get("/v1/models/manger"),
        live.get("/v1/models", authorization=nobody),
        live.get("/api/v1/no-such-path"),
        live.get("/api/v1/decisions/none"),
    ]


def test_every_error_over_the_wire__has_four_members_and_a_request_id(live: Live) -> None:
    for got in refused(live):
        assert got.status >= 400
        assert set(got.json) == {"error"}
        assert MEMBERS <= set(got.error) <= MEMBERS | {"details"}
        assert got.error["message"]
        assert got.error["type"]
        assert got.headers["x-request-id"]


def test_every_answer__carries_the_callers_own_request_id(live: Live) -> None:
    for path, body in ((CHAT, hello("fast")), (CHAT, hello("fast", stream=True)), (CHAT, hello("manger"))):
        assert live.post(path, body, x_request_id="mine-1").headers["x-request-id"] == "mine-1"
    assert live.get("/v1/models", x_request_id="mine-2").headers["x-request-id"] == "mine-2"


def test_streamed_error__is_one_frame_with_the_error_alone(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"cut_after_events": 4}}])
    *before, last = events(live.post(CHAT, hello(NATIVE, stream=True)).body)
    assert set(last) == {"error"}
    assert set(last["error"]) == MEMBERS
    assert "[DONE]" not in before
