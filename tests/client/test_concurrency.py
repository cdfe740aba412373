"""Threads, event loops, forks, and closing."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from iwrouting import client
from iwrouting._client import router as routers
from tests.client.service import Service


def test_threads_share_one_client(service: Service) -> None:
    start = threading.Barrier(16)

    def work(number: int) -> int:
        start.wait()
        client.call_model_for_role("manager", [], user=str(number))
        return id(routers.current().clients.sync())

    with ThreadPoolExecutor(16) as pool:
        clients = set(pool.map(work, range(16)))
    assert len(clients) == 1
    assert {request.body["user"] for request in service.calls} == {str(number) for number in range(16)}


def test_no_fallback_of_any_thread_is_lost_or_told_twice(service: Service) -> None:
    service.ttl_s = 0
    service.stop()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.resolve, ["manager", "summary", "fast", "deep"] * 10))
    assert {answer.source for answer in answers} == {"default"}
    service.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.resolve, ["manager"] * 20))
    counts = [int(report.partition(";")[0]) for report in service.reports() if report]
    assert sum(counts) == 40


def test_each_event_loop_has_its_own_client(service: Service) -> None:
    async def once() -> str:
        try:
            return await client.aget_model_for_role("manager")
        finally:
            await client.aclose()

    service.ttl_s = 0
    assert [asyncio.run(once()) for _ in range(3)] == ["gpt-from-the-service"] * 3


def test_two_loops_at_the_same_time(service: Service) -> None:
    async def many() -> list[str]:
        try:
            answers = await asyncio.gather(*(client.acall_model_for_role("manager", []) for _ in range(10)))
            return [answer.model for answer in answers]
        finally:
            await client.aclose()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: asyncio.run(many()), range(2)))
    assert results == [["gpt-served"] * 10] * 2


def test_clients_of_closed_loops_are_forgotten(service: Service) -> None:
    async def leave_open() -> None:
        await client.aresolve("manager")
        await routers.current().clients.of_loop().close()

    service.ttl_s = 0
    for _ in range(5):
        asyncio.run(leave_open())
    assert len(routers.current().clients._async) == 1


def test_after_close_the_next_call_opens_again_and_knows_what_it_knew(service: Service) -> None:
    service.ttl_s = 0
    client.resolve("manager")
    client.close()
    client.close()
    assert client.resolve("manager").source == "service"
    client.close()
    service.stop()
    assert client.resolve("manager").source == "last_known"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_its_own_connections(service: Service) -> None:
    client.call_model_for_role("manager", [])
    parent = routers.current().clients.sync()
    child = os.fork()
    if child == 0:
        works = client.call_model_for_role("manager", []).model == "gpt-served"
        own = routers.current().clients.sync() is not parent
        os._exit(0 if works and own else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert client.call_model_for_role("manager", []).model == "gpt-served"
