"""The watch over a stream: what it learns, what it takes out, and what can't confuse it (G2, openai-facts.md 3)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.types import Usage
from iwrouting.upstream.sse import DONE, FrameSplitter, StreamScanner
from tests.harness.samples import sample

Event = dict[str, Any]
CONFUSING = (
    '"finish_reason": "stop"',
    '{"finish_reason":"stop"}',
    '"error": {"message": "x"}',
    '"usage": {"prompt_tokens": 1}',
    "[DONE]",
    "data: [DONE]\n\n",
    "\\",
    '"',
    "\u2028",
    "é",
)


def frame(event: Event, end: bytes = b"\n") -> bytes:
    return b"data: " + orjson.dumps(event) + end + end


def text(content: str, index: int = 0, finish: str | None = None) -> Event:
    return {"choices": [{"index": index, "delta": {"content": content}, "finish_reason": finish}], "usage": None}


def usage_chunk(prompt: int = 5) -> Event:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": 2}, "service_tier": "default"}


def scan(*frames: bytes, **options: Any) -> tuple[StreamScanner, list[bytes]]:
    scanner = StreamScanner(**options)
    return scanner, [each for each in frames if scanner.keep(each)]


def test_scanner__whole_stream__is_relayed_without_its_end_marker() -> None:
    frames = [frame(text("a")), frame(text("b", finish="stop")), DONE]
    scanner, kept = scan(*frames)
    assert kept == frames[:2]
    assert (scanner.whole, scanner.done, scanner.finish_reason, scanner.error) == (True, True, "stop", None)


def test_scanner__usage_that_nobody_asked_for__is_read_and_taken_out() -> None:
    scanner, kept = scan(frame(text("a", finish="stop")), frame(usage_chunk()), DONE)
    assert kept == [frame(text("a", finish="stop"))]
    assert scanner.usage is not None
    assert (scanner.usage.prompt_tokens, scanner.usage.completion_tokens, scanner.usage.service_tier) == (
        5,
        2,
        "default",
    )


def test_scanner__usage_that_was_asked_for__stays() -> None:
    scanner, kept = scan(frame(usage_chunk()), DONE, keep_usage=True)
    assert kept == [frame(usage_chunk())]
    assert scanner.usage is not None


def test_scanner__usage_beside_choices__stays_and_counts() -> None:
    last = {**text("", finish="stop"), "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    scanner, kept = scan(frame(last))
    assert kept == [frame(last)]
    assert scanner.usage == Usage(9, None, None, 1, None, "", {"prompt_tokens": 9, "completion_tokens": 1})


def test_scanner__running_usage__the_last_one_counts() -> None:
    scanner, _ = scan(frame(usage_chunk(1)), frame(usage_chunk(7)), frame(text("a")))
    assert scanner.usage is not None
    assert scanner.usage.prompt_tokens == 7


def test_scanner__chunk_without_choices_and_usage__stays() -> None:
    first = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}], "usage": None}
    assert scan(frame(first))[1] == [frame(first)]


@pytest.mark.parametrize("spaces", [b"", b" ", b"\n", b"\t "])
def test_scanner__json_with_spaces__is_understood(spaces: bytes) -> None:
    parts = (b'{"choices"', b':[{"index":0,"delta":{},"finish_reason"', b':"stop"}],"usage"', b':{"prompt_tokens":3}}')
    written = (b":" + spaces).join(part.removeprefix(b":") for part in parts).replace(b"\n", b"\ndata:")
    scanner, _ = scan(b"data: " + written + b"\n\n")
    assert scanner.finish_reason == "stop"
    assert scanner.usage is not None


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_scanner__each_line_end__is_understood(end: bytes) -> None:
    scanner, kept = scan(frame(text("a", finish="length"), end), frame(usage_chunk(), end), b"data: [DONE]" + end + end)
    assert (len(kept), scanner.whole, scanner.done, scanner.finish_reason) == (1, True, True, "length")
    assert scanner.usage is not None


@pytest.mark.parametrize(
    "marker", [b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n", b": x\ndata: [DONE]\n\n", b"data: [DONE]\n"]
)
def test_scanner__end_marker_in_any_form__is_the_end(marker: bytes) -> None:
    scanner, kept = scan(marker)
    assert (scanner.done, kept) == (True, [])


@pytest.mark.parametrize("words", CONFUSING)
@pytest.mark.parametrize("field", ["content", "refusal", "reasoning_content"])
def test_scanner__content_that_looks_like_a_marker__is_content(words: str, field: str) -> None:
    event = {"choices": [{"index": 0, "delta": {field: words}, "finish_reason": None}], "usage": None}
    scanner, kept = scan(frame(event))
    assert kept == [frame(event)]
    assert scanner == StreamScanner()


@pytest.mark.parametrize("words", CONFUSING)
def test_scanner__tool_arguments_that_look_like_a_marker__are_arguments(words: str) -> None:
    call = {"index": 0, "function": {"arguments": orjson.dumps({"q": words, "error": {"usage": {}}}).decode()}}
    event = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    scanner, kept = scan(frame(event))
    assert kept == [frame(event)]
    assert scanner == StreamScanner()


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        ({"message": "boom", "code": "server_error"}, {"message": "boom", "code": "server_error"}),
        ("boom", {"message": "boom"}),
        (["boom"], {"message": ["boom"]}),
    ],
)
def test_scanner__error_inside_a_200__is_seen_and_not_relayed(error: object, seen: Event) -> None:
    scanner, kept = scan(frame(text("a")), frame({"error": error}))
    assert (scanner.error, len(kept), scanner.whole) == (seen, 1, False)


@pytest.mark.parametrize("data", [b'["error", "usage"]', b'"[DONE]"', b"1", b"null", b'{"a": "\\ud83d"}', b"{}", b""])
def test_scanner__frame_that_is_no_chunk__is_relayed_and_means_nothing(data: bytes) -> None:
    scanner, kept = scan(b"data: " + data + b"\n\n")
    assert kept == [b"data: " + data + b"\n\n"]
    assert scanner == StreamScanner()


MALFORMED = [b'{"finish_reason": "stop"', b"[DONE] or not", b"\xff[DONE]", b'{"choices": [{"delta": {"conte', b"<html>"]


@pytest.mark.parametrize("data", [*MALFORMED, b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_scanner__event_that_can_not_be_read__ends_the_stream_and_is_not_relayed(data: bytes) -> None:
    scanner, kept = scan(frame(text("a")), b"data: " + data + b"\n\n")
    assert kept == [frame(text("a"))]
    assert scanner.failure is not None
    assert (scanner.failure.code, scanner.whole) == ("bad_event", False)


@pytest.mark.parametrize("data", MALFORMED)
def test_scanner__unreadable_event_after_every_end__is_left_out_and_harms_nothing(data: bytes) -> None:
    scanner, kept = scan(frame(text("a", finish="stop")), b"data: " + data + b"\n\n", DONE)
    assert kept == [frame(text("a", finish="stop"))]
    assert (scanner.failure, scanner.whole, scanner.done) == (None, True, True)


def test_scanner__text__is_counted_in_bytes_without_padding_and_names() -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "look_up", "arguments": '{"a": 1}'}}
    events = [
        {**text("Gr\u00fc\u00dfe"), "obfuscation": "x" * 100},
        {"choices": [{"index": 0, "delta": {"refusal": "No", "content": None}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [call, {"index": 1, "custom": {"input": "ls"}}, 7]}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}, {"index": 1, "delta": {"content": "b"}}]},
        {"choices": [7, {"delta": [1]}, {"delta": {"tool_calls": {"a": 1}, "content": 5}}]},
    ]
    assert scan(*(frame(event) for event in events))[0].text_bytes == 7 + 2 + 8 + 2 + 2 + 1


@pytest.mark.parametrize("error", [None, False, "", {}, []])
def test_scanner__empty_error_field__is_none(error: object) -> None:
    event = {**text("a", finish="stop"), "error": error}
    scanner, kept = scan(frame(event))
    assert (scanner.error, kept, scanner.whole) == (None, [frame(event)], True)


def test_scanner__several_choices__are_whole_only_when_each_is() -> None:
    scanner = StreamScanner(choices=3)
    for index in (0, 2, 0, 2):
        scanner.keep(frame(text("a", index, "stop")))
        assert not scanner.whole
    scanner.keep(DONE)
    assert not scanner.whole
    scanner.keep(frame(text("", 1, "length")))
    assert scanner.whole


def test_scanner__several_choices_in_one_chunk__all_count() -> None:
    both: Event = {"choices": [{"index": index, "delta": {}, "finish_reason": "stop"} for index in (0, 1)]}
    assert scan(frame(both), choices=2)[0].whole


@pytest.mark.parametrize("finish", [None, "", 0, False, {"type": "stop"}])
def test_scanner__what_is_no_finish_reason__ends_no_choice(finish: object) -> None:
    scanner, _ = scan(frame({"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": finish}]}), DONE)
    assert (scanner.whole, scanner.done) == (False, True)


EVENTS = st.one_of(
    st.builds(text, st.sampled_from(CONFUSING), st.integers(0, 2), st.sampled_from([None, None, "stop", "tool_calls"])),
    st.builds(usage_chunk, st.integers(0, 9)),
    st.builds(text, st.text(max_size=8)),
)


@sample(80)
@given(st.lists(EVENTS, max_size=8), st.integers(1, 3), st.booleans(), st.lists(st.integers(0, 900), max_size=8))
def test_scanner__any_stream__loses_only_unasked_usage_and_the_end_marker(
    events: list[Event], choices: int, keep_usage: bool, borders: list[int]
) -> None:
    stream = b"".join(frame(event) for event in events) + b": ping\n\n" + DONE
    splitter, scanner = FrameSplitter(), StreamScanner(choices=choices, keep_usage=keep_usage)
    at = [0, *sorted(border % len(stream) for border in borders), len(stream)]
    relayed = b"".join(f for i, j in pairwise(at) for f in splitter.feed(stream[i:j]) if scanner.keep(f))

    assert relayed == b"".join(frame(e) for e in events if keep_usage or e["choices"]) + b": ping\n\n"
    ended = {e["choices"][0]["index"] for e in events if e["choices"] and e["choices"][0]["finish_reason"]}
    assert (scanner.finished, scanner.whole) == (ended, len(ended) >= choices)
    counts = [e["usage"]["prompt_tokens"] for e in events if e["usage"]]
    assert (scanner.usage.prompt_tokens if scanner.usage else None) == (counts[-1] if counts else None)
    assert (scanner.done, scanner.error) == (True, None)


def test_take__gives_the_frame_as_it_came_or_nothing() -> None:
    scanner = StreamScanner()
    told = frame(text("a"))
    assert (scanner.take(told), scanner.shows_output(told)) == (told, True)
    assert scanner.take(DONE) == b""
    assert scanner.failure is None


def test_failure__is_what_the_error_means() -> None:
    scanner = StreamScanner()
    assert scanner.take(b'data: {"error": {"code": "rate_limit_exceeded"}}\n\n') == b""
    assert scanner.failure is not None
    assert scanner.failure.code == "rate_limit_exceeded"
