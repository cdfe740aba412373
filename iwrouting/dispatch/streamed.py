"""A call whose answer comes piece by piece: fallback until the first output event, never after (design.md 5)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from iwrouting.dispatch.breakers import Permit
from iwrouting.dispatch.buffered import Served, receive_whole
from iwrouting.dispatch.job import Dispatcher, Job, microseconds_since
from iwrouting.dispatch.scanning import choices_sent, scanner_for
from iwrouting.dispatch.walk import walk
from iwrouting.types import AttemptRecord, Endpoint, Rung
from iwrouting.upstream import Failure, FrameSplitter, Reply, Scanner, StreamScanner, pace
from iwrouting.upstream.failures import bad_answer, transport_failure
from iwrouting.upstream.pace import TimedOut
from iwrouting.upstream.response_events import response_frames
from iwrouting.upstream.responses import ResponsesScanner
from iwrouting.upstream.sse import HEARTBEAT, MAX_FRAME, FrameTooLarge, is_keepalive
from iwrouting.upstream.synthesise import chat_frames
from iwrouting.upstream.translate.wire import loads

TO_STREAM = "adapted json to stream"


@dataclass(slots=True)
class OpenStream:
    """A stream that has shown its first output event. `held` are the frames for the caller up to and with it.

    After `relay` is exhausted `fault` tells why it did not end as whole, or is None.
    """

    rung: Rung
    attempt: AttemptRecord
    reply: Reply
    scanner: Scanner
    splitter: FrameSplitter
    held: list[bytes] = field(default_factory=list)
    fault: Failure | None = None
    permit: Permit | None = None

    async def relay(self) -> AsyncIterator[bytes]:
        """The frames for the caller, as they came or translated, without the terminal marker: that is the account's."""
        if self.held:
            yield b"".join(self.held)
        try:
            while not self.scanner.done and self.scanner.failure is None:
                part = await self._next_part()
                if part == b"":
                    break
                if frames := HEARTBEAT if part is None else self._take(part):
                    yield frames
        except FrameTooLarge:
            self.fault = bad_answer("too_large")
        except aiohttp.ClientPayloadError:
            self.fault = bad_answer("body_cut")
        except (aiohttp.ClientError, OSError) as error:
            self.fault = transport_failure(error)
        finally:
            self.close()
        if self.fault is None or self.scanner.whole:
            # Once every choice has ended, nothing of the answer can be lost with the connection.
            self.fault = self._ending()
        if self.permit is not None:
            self.permit.served() if self.fault is None else self.permit.failed(self.fault)

    def close(self) -> None:
        """Drop the connection and finish the record of the try."""
        self.reply.close()
        if self.attempt.end_us is None:
            self.attempt.end_us = microseconds_since(self.attempt.sent_ns)

    async def _next_part(self) -> bytes | None:
        """What came next, nothing at the end; None when the caller should get a sign of life."""
        try:
            return await self.reply.next_part()
        except TimedOut as error:
            if error.code != pace.HEARTBEAT:
                raise
            return None

    def _take(self, part: bytes) -> bytes:
        kept = []
        count = 0
        for frame in self.splitter.feed(part):
            count += 1
            if is_keepalive(frame):
                self.reply.pace.discount(len(frame))
            kept.append(self.scanner.take(frame))
            if self.scanner.done or self.scanner.failure is not None:
                break
        self._count(len(part), count)
        return kept[0] if len(kept) == 1 else b"".join(kept)

    def _count(self, size: int, frames: int) -> None:
        self.attempt.bytes_received = (self.attempt.bytes_received or 0) + size
        self.attempt.chunks = (self.attempt.chunks or 0) + frames

    def _ending(self) -> Failure | None:
        return self.scanner.failure or (None if self.scanner.whole else bad_answer("truncated"))

    async def wait_for_output(self) -> Failure | None:
        """Hold frames until the first output event; a Failure if the stream ends, fails or stalls before it."""
        while part := await self.reply.next_part():
            count = 0
            output = False
            for frame in self.splitter.feed(part):
                count += 1
                if kept := self.scanner.take(frame):
                    self.held.append(kept)
                output = output or (self.scanner.failure is None and self.scanner.shows_output(frame))
                if self.scanner.done or self.scanner.failure is not None:
                    break
            self._count(len(part), count)
            if output:
                self.reply.pace.show_output(time.monotonic())
                return None
            if self.scanner.failure is not None:
                return self.scanner.failure
            if self.scanner.done:
                break
            if (self.attempt.bytes_received or 0) > MAX_FRAME:
                return bad_answer("too_large", 200)
        return bad_answer("truncated", 200)


async def open_stream(dispatcher: Dispatcher, job: Job, *, choices: int, keep_usage: bool) -> OpenStream:
    """Walk the chain until a stream shows output. Raises UpstreamFailed or one of its kinds."""
    conf = dispatcher.conf

    async def receive(job: Job, rung: Rung, attempt: AttemptRecord, reply: Reply) -> OpenStream | Failure:
        if not reply.event_stream:
            served = await receive_whole(job, rung, attempt, reply)
            if isinstance(served, Failure):
                return served
            return as_stream(job, served, reply, choices, keep_usage=keep_usage)
        scanner = scanner_for(job, attempt, choices=choices, keep_usage=keep_usage)
        reply.pace.expect_output(
            within_s=conf.first_output_timeout_s, total_s=conf.stream_total_s, heartbeat_s=conf.stream_heartbeat_s
        )
        stream = OpenStream(rung, attempt, reply, scanner, FrameSplitter())
        try:
            failure = await stream.wait_for_output()
        except FrameTooLarge:
            return bad_answer("too_large", 200)
        except aiohttp.ClientPayloadError:
            return bad_answer("body_cut", 200)
        attempt.response_id = scanner.response_id
        return failure or stream

    stream = await walk(dispatcher, job, receive, whole=False)
    stream.permit = job.permit
    return stream


def as_stream(job: Job, served: Served, reply: Reply, choices: int, *, keep_usage: bool) -> OpenStream | Failure:
    """A whole answer as the stream that was asked for, told as a change; a Failure where it is not whole."""
    scanner: StreamScanner | ResponsesScanner
    try:
        body = loads(served.body)
        if job.endpoint == Endpoint.RESPONSES:
            scanner, frames = ResponsesScanner(), response_frames(body)
        else:
            scanner = StreamScanner(choices=choices_sent(served.attempt, choices), keep_usage=keep_usage)
            frames = chat_frames(body, keep_usage)
    except ValueError:
        return bad_answer("bad_body", 200)
    held = [kept for frame in frames if (kept := scanner.take(frame))]
    scanner.usage = served.usage
    served.attempt.changes += (TO_STREAM,)
    stream = OpenStream(served.rung, served.attempt, reply, scanner, FrameSplitter(), held)
    return stream if scanner.whole else bad_answer("mode_mismatch", 200)
