"""Whatever happens after a decision, it gets one outcome (G1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from iwrouting.audit import DECISION, OUTCOME, Claim, Row, Rows
from iwrouting.calls import streamed
from iwrouting.calls.account import decide
from iwrouting.calls.buffered import conclude
from iwrouting.calls.caller import Caller
from iwrouting.calls.draft import Draft
from iwrouting.calls.requests import ChatRequest
from iwrouting.calls.service import Service
from iwrouting.calls.streamed import _closing, _relay, answer_stream
from iwrouting.conf import Settings
from iwrouting.dispatch import Dispatcher, Job, OpenStream
from iwrouting.errors import AuditUnavailable, RoutingError, UpstreamFailed
from iwrouting.meters import mine
from iwrouting.resolver import resolve
from iwrouting.snapshot import builtin_configuration
from iwrouting.types import Endpoint, KeyFacts
from iwrouting.upstream import FrameSplitter, Reply, StreamScanner
from iwrouting.upstream.pace import Pace


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Row]] = []
        self.answers = True
        self.is_full = False
        self.futures: list[asyncio.Future[None]] = []

    def submit(
        self, rows: Rows, *, patience_s: float | None = None, claim: Claim | None = None, keep: bool = False
    ) -> asyncio.Future[None]:
        if self.is_full and not keep:
            raise AuditUnavailable("The audit is behind.")
        self.rows += rows
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        if self.answers:
            future.set_result(None)
        return future

    @property
    def outcomes(self) -> list[Row]:
        return [row for table, row in self.rows if table == OUTCOME]


def a_call() -> tuple[Service, Draft, Job, Kept]:
    key = KeyFacts("k", "h", frozenset({"call"}), "p", frozenset({"p"}))
    config = replace(builtin_configuration(), database=True)
    draft = Draft(Caller(key, "r", time.monotonic_ns(), "p", "p"), Endpoint.CHAT, config, 10, asked="fast")
    draft.resolution = resolve(config, "fast", project="p", now=draft.decision_at)
    job = Job(draft.id, draft.resolution, config, Endpoint.CHAT, {}, time.monotonic() + 5)
    kept = Kept()
    service = cast(Service, SimpleNamespace(writer=kept, cutting=False, draining=False, meters=mine()))
    return service, draft, job, kept


async def raising(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "result"),
    [
        (ValueError("surprise"), "internal_error", "error"),
        (UpstreamFailed("no", code="too_bad"), "too_bad", "error"),
    ],
)
def test_error_after_the_decision__is_its_outcome(error: Exception, code: str, result: str) -> None:
    service, draft, job, kept = a_call()
    with pytest.raises(RoutingError) as told:
        asyncio.run(conclude(service, draft, job, raising(error)))
    assert told.value.code == code
    assert told.value.extra_headers["x-iw-decision-id"] == draft.id
    assert [(row["result"], row["error_code"]) for row in kept.outcomes] == [(result, code)]


def test_cancelled_after_the_decision__is_client_closed() -> None:
    service, draft, job, kept = a_call()

    async def left() -> None:
        task = asyncio.create_task(conclude(service, draft, job, asyncio.sleep(5)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(left())
    assert [row["result"] for row in kept.outcomes] == ["client_closed"]


@pytest.mark.parametrize(("cutting", "result"), [(False, "client_closed"), (True, "interrupted")])
def test_cancelled_while_the_decision_is_committed__says_who_cut_it(cutting: bool, result: str) -> None:
    service, draft, _, kept = a_call()
    service.cutting = cutting

    async def left() -> None:
        task = asyncio.create_task(decide(service, draft))
        await asyncio.sleep(0)
        # The queue has filled meanwhile: the decision stands in it, so its end must find room.
        kept.is_full = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    kept.answers = False
    asyncio.run(left())
    assert [row["result"] for row in kept.outcomes] == [result]
    decisions = [row for table, row in kept.rows if table == DECISION]
    # The very row again, which keeps its number: an outcome whose decision could not be stored must not stand alone.
    assert len(decisions) == 2
    assert decisions[0] is decisions[1]


EVENTS = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n',
)
BROKEN = b'data: {"error":{"message":"no more","type":"server_error","code":"too_bad"}}\n\n'


class OnePiece:
    """An answer that comes in one piece and then stays open."""

    def __init__(self, piece: bytes) -> None:
        self.pieces = [piece]
        self.pace = Pace(time.monotonic(), idle_s=60)

    async def next_part(self) -> bytes:
        if self.pieces:
            return self.pieces.pop()
        raise AssertionError("read on after the end was known")

    def close(self) -> None:
        return


def a_stream(job: Job, piece: bytes) -> OpenStream:
    rung = job.resolution.chain[0]
    attempt = job.begin(rung, 1, Endpoint.CHAT, (), 10, None)
    reply = cast(Reply, OnePiece(piece))
    return OpenStream(rung, attempt, reply, StreamScanner(keep_usage=True), FrameSplitter())


def test_output_and_error_in_one_piece__end_the_stream_at_once() -> None:
    service, draft, job, kept = a_call()

    async def work() -> list[bytes]:
        stream = a_stream(job, EVENTS[0] + BROKEN + EVENTS[1])
        assert await stream.wait_for_output() is None
        return [part async for part in _relay(service, draft, job, stream) if part]

    parts = asyncio.run(work())
    assert parts[0] == EVENTS[0]
    assert b"too_bad" in parts[-1]
    assert [(row["result"], row["error_code"]) for row in kept.outcomes] == [("truncated", "too_bad")]


END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


@pytest.mark.parametrize(("end", "state"), [(END, "exact"), (b"", "estimated")])
def test_stream_left_after_its_usage__keeps_that_usage(end: bytes, state: str) -> None:
    service, draft, job, kept = a_call()

    async def work() -> None:
        stream = a_stream(job, EVENTS[0] + end + EVENTS[1])
        assert await stream.wait_for_output() is None
        relay = _relay(service, draft, job, stream)
        assert await anext(relay) == b""
        await anext(relay)
        await relay.aclose()

    asyncio.run(work())
    (row,) = kept.outcomes
    assert (row["result"], row["prompt_tokens"], row["completion_tokens"]) == ("client_closed", 5, 2)
    assert (row["cost_state"], row["tokens_source"]) == (state, "provider")


def test_stream_left_without_usage__is_estimated_by_its_text() -> None:
    service, draft, job, kept = a_call()

    async def work() -> None:
        stream = a_stream(job, EVENTS[0])
        assert await stream.wait_for_output() is None
        relay = _relay(service, draft, job, stream)
        assert await anext(relay) == b""
        await anext(relay)
        await relay.aclose()

    asyncio.run(work())
    (row,) = kept.outcomes
    assert (row["prompt_tokens"], row["completion_tokens"], row["tokens_source"]) == (3, 1, "bytes")
    assert (row["cost_state"], row["reasoning_tokens"], row["usage"]) == ("estimated", None, "{}")


async def events_of(error: BaseException | None) -> AsyncGenerator[bytes, None]:
    yield b"data: {}\n\n"
    if error is not None:
        raise error


def consume(steps: Callable[[AsyncGenerator[bytes, None]], Awaitable[Any]], error: BaseException | None) -> list[Row]:
    service, draft, job, kept = a_call()

    async def work() -> None:
        closing = _closing(service, draft, job, events_of(error))
        assert await anext(closing) == b""
        await steps(closing)

    asyncio.run(work())
    return kept.outcomes


def test_stream_that_nobody_began_to_read__is_client_closed() -> None:
    outcomes = consume(lambda closing: closing.aclose(), None)
    assert [row["result"] for row in outcomes] == ["client_closed"]


def test_unforeseen_error_in_a_stream__is_an_error_event_and_an_outcome() -> None:
    async def read(closing: AsyncGenerator[bytes, None]) -> None:
        parts = [part async for part in closing]
        assert b"internal_error" in parts[-1]
        assert b"surprise" not in b"".join(parts)

    outcomes = consume(read, ValueError("surprise"))
    assert [(row["result"], row["error_code"]) for row in outcomes] == [("error", "internal_error")]


@pytest.mark.parametrize("opened", [True, False], ids=["open", "not open yet"])
def test_stream_left_before_its_first_event__leaves_nothing_of_it_behind(
    monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    service, draft, job, kept = a_call()
    service.conf = cast(Settings, SimpleNamespace(stream_hold_s=0.001))
    service.dispatcher = cast(Dispatcher, None)
    ends: list[str] = []

    async def opening(*_: object, **__: object) -> OpenStream:
        if opened:
            stream = a_stream(job, EVENTS[0])
            monkeypatch.setattr(stream.reply, "close", lambda: ends.append("closed"))
            return stream
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
        raise AssertionError

    async def work() -> None:
        request = ChatRequest({}, "fast", [], stream=True, include_usage=True, choices=1)
        answer = await answer_stream(service, draft, job, request)
        await answer.events.aclose()
        assert ends == ["closed" if opened else "cancelled"]

    monkeypatch.setattr(streamed, "open_stream", opening)
    asyncio.run(work())
    assert [row["result"] for row in kept.outcomes] == ["client_closed"]
