"""Connections that the provider closes while they lie in the pool (docs/calls.md)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from iwrouting.conf import Settings
from iwrouting.dispatch import Breakers, Dispatcher, Job, Limits, send_buffered
from iwrouting.errors import AllCandidatesFailed
from iwrouting.types import Endpoint, UpstreamFacts
from iwrouting.upstream import Upstreams
from tests.pure.small import ask, configured

ANSWER = json.dumps({"choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}]}).encode()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)


@dataclass
class Fickle:
    """A provider that answers so many requests of each connection, and closes it when the next one comes."""

    answers: int
    seen: list[int] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen.append(0)
        number = len(self.seen) - 1
        try:
            while await self._request(reader):
                self.seen[number] += 1
                if self.seen[number] > self.answers:
                    break
                writer.write(HEAD + ANSWER)
                await writer.drain()
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        return True


@asynccontextmanager
async def dispatching(fickle: Fickle) -> AsyncIterator[Dispatcher]:
    server = await asyncio.start_server(fickle.serve, "127.0.0.1", 0)
    fickle.port = server.sockets[0].getsockname()[1]
    upstreams = Upstreams()
    conf = Settings(IW_ENV="development", IW_RETRY_BACKOFF_MS=0)  # type: ignore[call-arg] # by the variables' names
    try:
        yield Dispatcher(upstreams, conf, Breakers(Limits(), lambda transition: None))
    finally:
        await upstreams.close()
        server.close()
        await server.wait_closed()


def a_job(fickle: Fickle) -> Job:
    upstream = UpstreamFacts("environment", f"http://127.0.0.1:{fickle.port}/v1", "env:OPENAI_API_KEY", trusted=True)
    config = replace(configured(), upstreams={"environment": upstream})
    body = {"model": "large", "messages": [{"role": "user", "content": "hello"}]}
    return Job("d", ask(config, "large"), config, Endpoint.CHAT, body, time.monotonic() + 10)


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iwrouting.upstream.client.read_secret", lambda reference: "sk-test")


def test_connection_closed_in_the_pool__is_one_broken_try_and_the_next_goes_over_a_new_one() -> None:
    async def calls() -> tuple[Fickle, list[list[str]]]:
        fickle = Fickle(answers=2)
        async with dispatching(fickle) as dispatcher:
            # Two connections lie in the pool, and the provider will take nothing more on either.
            first = [a_job(fickle) for _ in range(2)]
            await asyncio.gather(*(send_buffered(dispatcher, job) for job in first))
            await asyncio.gather(*(send_buffered(dispatcher, job) for job in [a_job(fickle), a_job(fickle)]))
            job = a_job(fickle)
            await send_buffered(dispatcher, job)
            after = a_job(fickle)
            await send_buffered(dispatcher, after)
        return fickle, [[attempt.error_code for attempt in each.attempts] for each in (*first, job, after)]

    fickle, codes = asyncio.run(calls())
    assert codes == [[""], [""], ["connection_reset", ""], ["connection_reset", ""]]
    assert fickle.seen == [3, 3, 1, 1]


def test_new_connection_that_breaks_too__ends_the_rung_after_two_tries() -> None:
    async def call() -> tuple[Fickle, list[str]]:
        fickle = Fickle(answers=0)
        async with dispatching(fickle) as dispatcher:
            job = a_job(fickle)
            with pytest.raises(AllCandidatesFailed):
                await send_buffered(dispatcher, job)
        return fickle, [attempt.error_code for attempt in job.attempts]

    fickle, codes = asyncio.run(call())
    assert codes == ["connection_reset", "connection_reset"]
    assert fickle.seen == [1, 1]
