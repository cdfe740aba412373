"""Calls that the end of a drain cuts: what their callers are told, and what is recorded."""

from __future__ import annotations

import asyncio

import pytest

from iwrouting.calls.account import close, decide
from iwrouting.calls.buffered import conclude
from iwrouting.calls.draft import Ending
from iwrouting.calls.service import Service
from iwrouting.errors import ShuttingDown
from iwrouting.types import SHUTTING_DOWN, Result
from tests.calls.test_conclude import a_call


def test_cut_while_the_decision_is_committed__is_a_503_to_repeat() -> None:
    service, draft, _, kept = a_call()
    kept.answers = False

    async def cut() -> None:
        task = asyncio.create_task(decide(service, draft))
        service.calls = {task}
        service.going_on = set()
        await asyncio.sleep(0)
        Service.cut(service)
        await task

    with pytest.raises(ShuttingDown) as told:
        asyncio.run(cut())
    assert (told.value.should_retry, told.value.extra_headers["x-iw-decision-id"]) == (True, draft.id)
    assert [row["result"] for row in kept.outcomes] == ["interrupted"]


def test_cut_while_the_outcome_is_committed__does_not_take_the_answer() -> None:
    service, draft, job, kept = a_call()
    kept.answers = False

    async def answered() -> str:
        await close(service, draft, job, Ending(Result.OK, 200))
        return "the answer"

    async def cut() -> str:
        task = asyncio.create_task(conclude(service, draft, job, answered()))
        await asyncio.sleep(0)
        task.cancel(SHUTTING_DOWN)
        await asyncio.sleep(0)
        kept.futures[-1].set_result(None)
        return await task

    assert asyncio.run(cut()) == "the answer"
    assert [row["result"] for row in kept.outcomes] == ["ok"]
