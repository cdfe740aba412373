"""The one timer over many reads: it interrupts the read that lasts too long, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from iwrouting.upstream import Reply
from iwrouting.upstream.pace import Pace, TimedOut


class Slow:
    """A body whose next piece comes when it is told, or never."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.asked = asyncio.Event()

    async def readany(self) -> bytes:
        self.asked.set()
        await asyncio.sleep(0)
        if not self.pieces:
            await asyncio.Event().wait()
        return self.pieces.pop(0)


def a_reply(content: Slow, idle_s: float) -> Reply:
    response = cast(aiohttp.ClientResponse, SimpleNamespace(content=content, close=lambda: None))
    return Reply(200, {}, response, Pace(time.monotonic(), idle_s=idle_s))


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(cast(Any, work()))


def test_read_that_lasts_too_long__is_timed_out_and_the_task_goes_on() -> None:
    async def work() -> None:
        reply = a_reply(Slow([b"a"]), 0.05)
        assert await reply.next_part() == b"a"
        with pytest.raises(TimedOut) as caught:
            await reply.next_part()
        assert caught.value.code == "stalled"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        reply.close()

    run(work)


def test_cancelled_read__is_cancelled_and_no_timeout() -> None:
    async def work() -> None:
        content = Slow([])
        reply = a_reply(content, 30)
        task = asyncio.create_task(reply.next_part())
        await content.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reply.close()

    run(work)


def test_deadline_around_a_read__is_the_deadline() -> None:
    async def work() -> None:
        reply = a_reply(Slow([]), 30)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.02):
                await reply.next_part()
        assert not isinstance(caught.value, TimedOut)
        reply.close()

    run(work)


def test_many_reads__arm_one_timer_and_leave_none(monkeypatch: pytest.MonkeyPatch) -> None:
    armed: list[asyncio.TimerHandle] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def counted(*given: Any) -> asyncio.TimerHandle:
            armed.append(call_later(*given))
            return armed[-1]

        monkeypatch.setattr(loop, "call_later", counted)
        reply = a_reply(Slow([b"x"] * 500 + [b""]), 30)
        assert await reply.read() == b"x" * 500

    run(work)
    assert len(armed) == 1
    assert armed[0].cancelled()
