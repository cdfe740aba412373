"""The translating scanner: frames of events in, frames of chunks out, and never a false end (G2)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting.sandbox.response_events import events as events_of
from iwrouting.upstream.sse import FrameSplitter
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner
from tests.translate.bodies import answers
from tests.translate.cast import ID, Json, call, chat, chunks_of, joined, message, response, said


def recorded(body: Json) -> bytes:
    """The stream of a response as the provider sends it."""
    return b"".join(each.frame() for each in events_of({**body, "background": False}, {}))


ANSWER = response({"id": "rs", "type": "reasoning"}, message(said("Hello you"), index=1), call(index=2))
STREAM = recorded(ANSWER)


def scan(*parts: bytes) -> tuple[TranslatingScanner, bytes]:
    """The scanner after these bytes, and what it let through."""
    scanner, splitter = TranslatingScanner(ResponsesStream(ID)), FrameSplitter()
    return scanner, b"".join(scanner.take(frame) for part in parts for frame in splitter.feed(part))


def test_whole_stream__is_whole() -> None:
    scanner, sent = scan(STREAM)
    assert (scanner.done, scanner.whole, scanner.failure, scanner.finish_reason) == (True, True, None, "tool_calls")
    assert scanner.usage is not None
    assert (joined(chunks_of(sent))["content"], scanner.stream.response_id) == ("Hello you", "resp_1")


def test_stream_cut_at_any_byte__is_never_whole_and_says_nothing_wrong() -> None:
    whole = joined(chunks_of(scan(STREAM)[1]))
    for end in range(len(STREAM)):
        scanner, sent = scan(STREAM[:end])
        assert (scanner.whole, scanner.done, scanner.finish_reason, scanner.failure) == (False, False, "", None)
        made = joined(chunks_of(sent))
        assert whole["content"].startswith(made["content"] or "")
        assert made["finish_reason"] is None


def test_output__begins_with_the_first_word() -> None:
    scanner = TranslatingScanner(ResponsesStream(ID))
    shown = []
    for frame in FrameSplitter().feed(STREAM):
        sent = scanner.take(frame)
        shown.append(scanner.shows_output(frame))
        assert not shown[-1] or shown[:-1].count(True) or b'"content":"Hello"' in sent
    assert shown.index(True) == STREAM.split(b"\n\n").index(
        next(f for f in STREAM.split(b"\n\n") if b"text.delta" in f)
    )


@settings(max_examples=100, deadline=None)
@given(body=answers(), cuts=st.lists(st.integers(0, 5000), max_size=8))
def test_bytes_in_any_pieces__make_the_same_chunks(body: Json, cuts: list[int]) -> None:
    stream = recorded(body)
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert scan(*(stream[a:b] for a, b in pairwise(at)))[1] == scan(stream)[1]
    assert joined(chunks_of(scan(stream)[1]))["content"] == chat(body)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end__is_legal(line_end: bytes) -> None:
    assert scan(STREAM.replace(b"\n", line_end), b"\n")[1] == scan(STREAM)[1]


@pytest.mark.parametrize("frame", [b": hello\n\n", b"event: ping\n\n", b"data:\n\n", b"data: [DONE]\n\n"])
def test_comment_or_marker__is_swallowed(frame: bytes) -> None:
    scanner, sent = scan(frame)
    assert (sent, scanner.failure, scanner.done) == (b"", None, False)


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"null", b"hello", b"[" * 5000, b"\xff"])
def test_event_that_can_not_be_read__is_a_failure(data: bytes) -> None:
    scanner, sent = scan(b"data: " + data + b"\n\n" + STREAM)
    assert scanner.failure is not None
    assert (scanner.failure.code, scanner.whole, sent) == ("bad_event", False, b"")


def test_after_the_end__nothing_counts() -> None:
    scanner, _ = scan(STREAM + b"data: {\n\n")
    assert (scanner.whole, scanner.failure) == (True, None)


def test_half_a_surrogate_pair__is_read() -> None:
    halves = STREAM.replace(b'"delta":"Hello"', b'"delta":"\\ud83d"').replace(b'"delta":" you"', b'"delta":"\\ude00"')
    content = joined(chunks_of(scan(halves)[1]))["content"]
    assert content.encode("utf-16", "surrogatepass").decode("utf-16") == "\N{GRINNING FACE}"


def test_number_of_any_size__is_read() -> None:
    huge = STREAM.replace(b'"service_tier":"default"', b'"moderation":{"n":' + b"9" * 40 + b"}")
    assert scan(huge)[0].whole
