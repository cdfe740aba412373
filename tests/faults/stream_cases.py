"""The rows U16 to U28 (faults.md 4): errors inside a 200, malformed bodies, limits, odd content."""

from __future__ import annotations

from typing import Any

from tests.faults.cases import Case, breaks, onward, served, stops
from tests.faults.checks import indexes, listed, redacted
from tests.faults.modes import (
    BUFFERED,
    BY_RESPONSES,
    CHATS,
    STREAMED,
    TALK,
    TALK_BUFFERED,
    VECTORS,
)
from tests.faults.upstream_cases import FAILED, error, event

CHAT_STREAM = ("chat streamed",)
CHAT_STREAMS = tuple(name for name in STREAMED if name in CHATS)
RESPONSES_STREAM = tuple(name for name in STREAMED if name in BY_RESPONSES)
RESPONSES_BUFFERED = tuple(name for name in BUFFERED if name in BY_RESPONSES)


def in_band(code: str, kind: str, expected: Any, title: str, **more: Any) -> list[Case]:
    """An error as the first thing that a 200 says: in a stream, and as the body of a whole answer."""
    fault = event(code, kind=kind)
    body = {"status": 200, "body": {"error": error(code, kind)}}
    return [
        Case("U16", f"{title}, first event", fault, expected, modes=STREAMED, **more),
        Case("U16", f"{title}, as the body of a 200", body, expected, modes=TALK_BUFFERED, **more),
    ]


LIMITED_INSIDE = "200 rate_limit_exceeded"
U16 = [
    *in_band("rate_limit_exceeded", "requests",
             onward(LIMITED_INSIDE, LIMITED_INSIDE, alone="429 rate_limit_exceeded"), "rate limit"),
    *in_band("insufficient_quota", "insufficient_quota", stops("429 insufficient_quota", "200 insufficient_quota"),
             "account quota"),
    *in_band("context_length_exceeded", "invalid_request_error",
             stops("400 context_length_exceeded", "200 context_length_exceeded"), "context too long"),
    *in_band("content_policy_violation", "invalid_request_error",
             stops("400 content_policy_violation", "200 content_policy_violation"), "content policy"),
    *in_band("server_error", "server_error", onward("200 server_error", "200 server_error"), "server error"),
    Case("U16", "error event after output", event("busy", after=9), breaks("busy"), modes=STREAMED),
    Case("U16", "error event, nested form", event("busy", form="nested"), onward("200 busy", "200 busy"),
         modes=RESPONSES_STREAM),
    Case("U16", "response.failed before output", event("server_error", after=2, form="failed"),
         onward("200 server_error", "200 server_error"), modes=RESPONSES_STREAM),
    Case("U16", "response.failed after output", event("server_error", after=9, form="failed"),
         breaks("server_error"), modes=RESPONSES_STREAM),
    Case("U16", "status failed in a whole answer", "failed", onward("200 server_error", "200 server_error"),
         modes=RESPONSES_BUFFERED),
    Case("U16", "finish_reason content_filter", {"finish": "content_filter"}, served(), modes=TALK),
    Case("U16", "a refusal as the answer", {"refusal": True}, served(), modes=TALK),
]  # fmt: skip
U17 = [
    Case("U17", "one malformed frame among good ones", {"malformed_after_events": 9}, breaks("stream_bad_event"),
         modes=STREAMED),
    Case("U17", "comments, pings and keepalives", {"keepalive_every": 1}, served(), modes=STREAMED),
    Case("U17", "deltas left out, only .done", {"no_deltas": "text"}, served(), modes=("chat by responses streamed",)),
]  # fmt: skip
LENGTH_OVER = {"headers": {"content-length": "99999"}}
LENGTH_UNDER = {"headers": {"content-length": "20"}}
U18 = [
    Case("U18", "not JSON", {"raw_body": '{"id": "x", "choi'}, onward("200 bad_body"), modes=BUFFERED),
    Case("U18", "JSON that is no answer", {"raw_body": "[1, 2]"}, onward("200 bad_body"), modes=BUFFERED),
    Case("U18", "an empty object", {"raw_body": "{}"}, onward("200 bad_body"), modes=TALK_BUFFERED),
    Case("U18", "an empty object", {"raw_body": "{}"}, onward("200 bad_vectors"), modes=VECTORS),
    Case("U18", "truncated gzip", "gzip_cut", onward("200 bad_body"), modes=BUFFERED),
    Case("U18", "truncated gzip", "gzip_cut", onward("200 truncated"), modes=STREAMED),
    Case("U18", "content-length too large", LENGTH_OVER, onward("200 stalled", alone="504 all_candidates_failed"),
         modes=BUFFERED),
    Case("U18", "content-length too small", LENGTH_UNDER, onward("- bad_http"),
         modes=BUFFERED),
    Case("U18", "no HTTP at all", {"raw_bytes": "HELLO\r\n"}, onward("- bad_http")),
]  # fmt: skip
U19 = [
    Case("U19", "200 with HTML", "html", onward("200 bad_body")),
    Case("U19", "200 with nothing", {"raw_body": ""}, onward("200 bad_body")),
    Case("U19", "the answer, as text/plain", {"content_type": "text/plain"}, served(), modes=BUFFERED),
]
U20 = [
    Case("U20", "JSON where a stream was asked", {"mode": "json"}, served(), modes=STREAMED),
    Case("U20", "a stream where JSON was asked", {"mode": "sse"}, served(), modes=TALK_BUFFERED),
]  # fmt: skip
U21 = [
    Case("U21", "a stream without an end", {"endless": True, "event_delay_ms": 30}, breaks("stream_timeout_total"),
         modes=STREAMED),
    Case("U21", "a frame of 12 MB", {"pad_bytes": 12_000_000}, onward("200 too_large"), modes=CHAT_STREAM),
    Case("U21", "a body of 140 MB", {"pad_bytes": 140_000_000}, onward("200 too_large"), modes=("chat",)),
    Case("U21", "a header of 100 kB", {"headers": {"x-padding": "x" * 100_000}},
         onward("- bad_http"), modes=("chat", "chat streamed", "embeddings")),
]  # fmt: skip
U22 = [
    Case("U22", "no usage", "no_usage", served(), noted="no usage"),
    Case("U22", "usage null", {"usage": None}, served(), noted="no usage"),
    Case("U22", "usage that is no object", {"usage": "many"}, served(), noted="no usage"),
    Case("U22", "usage of zeros", {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}, served(),
         modes=CHATS, noted="usage 0/0"),
    Case("U22", "negative usage", {"usage": {"prompt_tokens": -5, "completion_tokens": -1}}, served(), modes=CHATS,
         noted="no usage"),
    Case("U22", "usage twice", {"usage_place": "twice"}, served(), modes=CHAT_STREAM, noted="usage"),
    Case("U22", "usage in a choice's chunk", {"usage_place": "with_choice"}, served(), modes=CHAT_STREAM,
         noted="usage"),
]  # fmt: skip
CALLS = {
    "messages": [{"role": "user", "content": "call add and call sum"}],
    "tools": [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
              for name in ("add", "sum")],
}  # fmt: skip
U23 = [
    Case("U23", f"tool deltas, index {how}", {"tool_index": how}, served(), modes=CHAT_STREAM, asked=CALLS,
         check=indexes(value))
    for how, value in (("missing", "none"), ("repeated", 0), ("null", None))
]  # fmt: skip
U24 = [Case("U24", "redirect", {"redirect": "http://198.51.100.7/v1"}, onward("307 redirect_refused"))]
U25 = [
    Case("U25", f"vectors: {how}", {"embeddings": how}, onward("200 bad_vectors"), modes=VECTORS)
    for how in ("short", "long", "repeated_index", "no_index", "wrong_width", "empty", "texts")
]
U25 += [
    Case("U25", f"vectors: {how}, as float", {"embeddings": how}, onward("200 bad_body"), modes=VECTORS)
    for how in ("nan", "infinite")
]
U25 += [
    Case("U25", f"vectors: {how}, as base64", {"embeddings": how}, onward("200 bad_vectors"), modes=VECTORS,
         asked={"encoding_format": "base64"})
    for how in ("nan", "infinite")
]  # fmt: skip
U25 += [Case("U25", "vectors out of order", {"embeddings": "shuffle"}, served(), modes=VECTORS)]
U26 = [
    Case("U26", f"id {name}", {"response_id": value}, served(), modes=TALK)
    for name, value in (("null", None), ("empty", ""), ("always the same", "same"), ("of 10 KB", "x" * 10_000))
]
U27 = [
    Case("U27", "every model fails in its own way", {"status": 500}, stops(FAILED, "500 server_error",
         "500 server_error"), modes=TALK, rest=["no_answer", "html"], check=listed),
]  # fmt: skip
U28 = [
    Case("U28", "our key in a 400", {"status": 400, "echo_key": True}, stops("400 null", "400 invalid_request_error"),
         check=redacted),
    Case("U28", "our key in a 500", {"status": 500, "echo_key": True}, onward("500 server_error", "500 server_error"),
         check=redacted),
    Case("U28", "our key in an error event", {**event("busy", after=9), "echo_key": True}, breaks("busy"),
         modes=STREAMED),
]  # fmt: skip
