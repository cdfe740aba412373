"""What each endpoint says to bad requests: OpenAI's body, the right status, rows only where design.md 6 wants them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.ledger import records_of_request
from tests.live.live import Live
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT, EMBEDDINGS, RESOLVE = "/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve"
ENDPOINTS = (CHAT, EMBEDDINGS, RESOLVE)
GOOD: dict[str, dict[str, Any]] = {
    CHAT: hello("fast"),
    EMBEDDINGS: {"model": "embedding", "input": "one"},
    RESOLVE: {"alias": "fast"},
}


def error_of(got: Raw, status: int, code: str | None, param: str | None = None) -> dict[str, Any]:
    """The error object, after checking that it is OpenAI's and has a request id."""
    assert got.status == status, got.data
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-request-id"]
    assert {"message", "type", "param", "code"} <= set(got.error) <= {"message", "type", "param", "code", "details"}
    assert (got.error["code"], got.error["param"]) == (code, param)
    assert got.error["message"]
    return got.error


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("body", [b"", b"{", b'{"model": "fast"', b"\xff\xfe", b"nan", b'{"a": 1} x', b'{"a": "\xc3"}'])
def test_body_that_is_no_json__is_a_400_without_rows(live: Live, path: str, body: bytes) -> None:
    error = error_of(live.post(path, body), 400, "invalid_json")
    assert error["type"] == "invalid_request_error"
    assert live.records() == []


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"', b"true"])
def test_body_that_is_no_object__is_a_400_without_rows(live: Live, path: str, body: bytes) -> None:
    error_of(live.post(path, body), 400, "invalid_json")
    assert live.records() == []


@pytest.mark.parametrize("path", ENDPOINTS)
def test_body_nested_too_deep__is_a_400(live: Live, path: str) -> None:
    body = b'{"model": "fast", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert live.post(path, body).status == 400
    assert live.sent() == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (CHAT, {"model": None}, "model"),
    (CHAT, {"model": 7}, "model"),
    (CHAT, {"model": ["fast"]}, "model"),
    (CHAT, {"model": " "}, "model"),
    (CHAT, {"model": "x" * 257}, "model"),
    (CHAT, {"messages": None}, "messages"),
    (CHAT, {"messages": []}, "messages"),
    (CHAT, {"messages": "hello"}, "messages"),
    (CHAT, {"messages": {"role": "user"}}, "messages"),
    (CHAT, {"messages": ["hello"]}, "messages"),
    (CHAT, {"stream": "yes"}, "stream"),
    (CHAT, {"stream": 1}, "stream"),
    (CHAT, {"stream": True, "stream_options": []}, "stream_options"),
    (CHAT, {"n": 0}, "n"),
    (CHAT, {"n": "2"}, "n"),
    (CHAT, {"n": True}, "n"),
    (CHAT, {"n": 129}, "n"),
    (EMBEDDINGS, {"model": None}, "model"),
    (EMBEDDINGS, {"model": {}}, "model"),
    (EMBEDDINGS, {"input": None}, "input"),
    (EMBEDDINGS, {"input": ""}, "input"),
    (EMBEDDINGS, {"input": []}, "input"),
    (EMBEDDINGS, {"input": 3}, "input"),
    (EMBEDDINGS, {"input": {"text": "one"}}, "input"),
    (EMBEDDINGS, {"input": ["one", ""]}, "input"),
    (EMBEDDINGS, {"input": ["one", None]}, "input"),
    (EMBEDDINGS, {"input": ["one", 2]}, "input"),
    (EMBEDDINGS, {"input": [[]]}, "input"),
    (EMBEDDINGS, {"input": [1, -2]}, "input"),
    (EMBEDDINGS, {"input": [[1, 2.5]]}, "input"),
    (EMBEDDINGS, {"input": [True]}, "input"),
]


@pytest.mark.parametrize(("path", "change", "param"), WRONG, ids=lambda value: json.dumps(value)[:40])
def test_wrong_field__is_a_400_that_names_it_and_a_refused_decision(
    live: Live, path: str, change: dict[str, Any], param: str
) -> None:
    got = live.post(path, {**GOOD[path], **change})
    error = error_of(got, 400, "invalid_request", param)
    assert (error["type"], error["message"].startswith(param)) == ("invalid_request_error", True)
    refused(live, got, 400, "invalid_request", param)


RESOLVE_WRONG: list[tuple[Any, str]] = [
    ({}, "alias"),
    ({"alias": "fast", "aliases": ["fast"]}, "alias"),
    ({"aliases": []}, "aliases"),
    ({"aliases": "fast"}, "aliases"),
    ({"aliases": ["fast"] * 65}, "aliases"),
    ({"alias": 3}, "aliases"),
    ({"alias": "fast", "dry_run": "no"}, "dry_run"),
    ({"alias": "auto", "messages": "hello"}, "messages"),
    ({"alias": "auto", "messages": ["x"]}, "messages"),
    ({"alias": "manager", "messages": {}}, "messages"),
    ({"alias": "auto", "features": {"no_such": 1}}, "features"),
    ({"alias": "auto", "features": {"words": -1}}, "features"),
    ({"alias": "auto", "features": {"words": 1}, "messages": [{"role": "user", "content": "hi"}]}, "features"),
    ({"alias": "fast", "as_of": 3}, "as_of"),
    ({"alias": "fast", "modle": "x"}, "modle"),
    ({"alias": "fast", "project": 7}, "project"),
]


@pytest.mark.parametrize(("body", "param"), RESOLVE_WRONG, ids=lambda value: json.dumps(value)[:40])
def test_resolve_with_a_wrong_field__is_a_400_that_names_it(live: Live, body: Any, param: str) -> None:
    got = live.post(RESOLVE, body)
    assert error_of(got, 400, "invalid_request", param)["message"].startswith(param)
    refused(live, got, 400, "invalid_request", param)


def test_resolve_that_is_a_dry_run__leaves_no_rows_when_refused(live: Live) -> None:
    assert live.post(RESOLVE, {"alias": "no-such-name", "dry_run": True}).status == 404
    assert live.post(RESOLVE, {"alias": "fast", "unknown": 1, "dry_run": True}).status == 400
    assert live.records() == []


def test_resolve_by_get_with_a_wrong_parameter__is_a_400_that_names_it(live: Live) -> None:
    error_of(live.get(f"{RESOLVE}?alias=fast&as_of=x"), 400, "invalid_request", "as_of")
    error_of(live.get(f"{RESOLVE}?alias=fast&modle=x"), 400, "invalid_request", "modle")
    error_of(live.get(RESOLVE), 400, "invalid_request", "alias")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("name", "hint"), [("manger", "manager"), ("role:menager", "manager"), ("gpt-4.1-minii", "gpt-4.1-mini")]
)
def test_unknown_name__is_a_404_that_names_the_nearest(live: Live, path: str, name: str, hint: str) -> None:
    field = "alias" if path == RESOLVE else "model"
    got = live.post(path, {**GOOD[path], field: name})
    error = error_of(got, 404, "model_not_found", "model")
    assert "does not exist" in error["message"]
    assert f"Did you mean '{hint}'?" in error["message"]
    assert refused(live, got, 404, "model_not_found", "model").decision.model_asked == name


@pytest.mark.parametrize("name", ["mode:manager", "role:fast", "mode:nothing", "xyz", "embedding:x"])
def test_prefix_of_another_kind__is_unknown(live: Live, name: str) -> None:
    error_of(live.post(CHAT, hello(name)), 404, "model_not_found", "model")
    error_of(live.get(f"/v1/models/{name}"), 404, "model_not_found", "model")


@pytest.mark.parametrize(("path", "name", "there"), [(CHAT, "embedding", EMBEDDINGS), (EMBEDDINGS, "fast", CHAT)])
def test_alias_of_the_other_kind__is_a_400_that_names_the_endpoint(
    live: Live, path: str, name: str, there: str
) -> None:
    got = live.post(path, {**GOOD[path], "model": name})
    assert there in error_of(got, 400, "invalid_request", "model")["message"]
    refused(live, got, 400, "invalid_request", "model")


@pytest.mark.parametrize(
    ("path", "name"), [(CHAT, "text-embedding-3-small"), (EMBEDDINGS, "gpt-5.1-codex"), (EMBEDDINGS, "gpt-4.1")]
)
def test_named_model_without_this_endpoint__is_a_400_that_names_the_model(live: Live, path: str, name: str) -> None:
    got = live.post(path, {**GOOD[path], "model": name})
    assert name in error_of(got, 400, "endpoint_unsupported", "model")["message"]
    refused(live, got, 400, "endpoint_unsupported", "model")
    assert live.sent() == []


def test_body_over_the_limit__is_a_413_before_it_was_read(live: Live) -> None:
    head = {"x_iw_run_id": live.run, "authorization": f"Bearer {live.home.key}", "content_length": str(3 * 2**20)}
    for path in ENDPOINTS:
        with raw.connect(live.base_url) as sock:
            sock.sendall(raw.request_bytes(path, b"{", **head))
            got = raw.receive(sock, 5)
        error_of(got, 413, "body_too_large")
        assert got.headers["connection"] == "close"
    assert live.records() == []


def test_chunked_body_over_the_limit__is_a_413(live: Live) -> None:
    key = f"authorization: Bearer {live.home.key}"
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{key}\r\ntransfer-encoding: chunked\r\n\r\n"
    with raw.connect(live.base_url) as sock:
        sock.sendall(head.encode())
        for _ in range(17):
            sock.sendall(b"%x\r\n%b\r\n" % (65536, b"x" * 65536))
        error_of(raw.receive(sock, 5), 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", CHAT), ("DELETE", EMBEDDINGS), ("PUT", RESOLVE), ("POST", "/v1/models"), ("POST", "/readyz")],
)
def test_wrong_method__is_a_405(live: Live, method: str, path: str) -> None:
    got = raw.send(live.base_url, raw.request_bytes(path, {}, method, authorization=f"Bearer {live.home.key}"))
    assert error_of(got, 405, "method_not_allowed")["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/chat/completions/", "/v1/chat", "/v1/engines"])
def test_unknown_path__is_a_404(live: Live, path: str) -> None:
    assert path in error_of(live.post(path, {}), 404, "not_found")["message"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-iw-run-id", "two words"),
        ("x-iw-run-id", "x" * 129),
        ("x-iw-run-id", "naïve"),
        ("x-iw-tags", "a,b c"),
        ("x-iw-tags", ",".join(f"t{n}" for n in range(17))),
        ("x-iw-tags", "é"),
    ],
)
def test_malformed_metadata__is_a_400_that_names_the_header(live: Live, header: str, value: str) -> None:
    ident = f"bad-{live.run}"
    got = live.post(CHAT, hello("fast"), None, x_request_id=ident, **{header: value})
    error_of(got, 400, "invalid_request", header)
    [record] = records_of_request(ident)
    assert (record.outcome.result, record.outcome.error_param) == ("refused", header)
    run_id = "" if header == "x-iw-run-id" else live.run
    assert (record.decision.project, record.decision.run_id, record.decision.tags) == (live.home.slug, run_id, "[]")
    assert record.decision.model_asked == "fast"


def test_malformed_request_id__is_replaced(live: Live) -> None:
    got = live.post(CHAT, hello("fast"), x_request_id="two words")
    assert got.status == 200
    assert live.the_record().decision.request_id == got.headers["x-request-id"] != "two words"


def refused(live: Live, got: Raw, status: int, code: str, param: str) -> Any:
    """Assert that decision and outcome tell of the refusal; nothing was sent. The record."""
    record = live.the_record()
    assert got.headers["x-iw-decision-id"] == str(record.decision.id)
    outcome = record.outcome
    assert (outcome.result, outcome.status, outcome.error_code, outcome.error_param) == ("refused", status, code, param)
    assert (record.attempts, outcome.calls, outcome.cost_state) == ([], 0, "none")
    assert live.sent() == []
    return record
