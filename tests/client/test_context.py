"""Project, run and tags as context."""

from __future__ import annotations

import asyncio
import threading

import pytest

from iwrouting import client
from iwrouting.client import routing_context
from tests.client.conftest import Face
from tests.client.service import Received, Service

NAMES = ("x-iw-project", "x-iw-run-id", "x-iw-tags")


def sent(request: Received) -> tuple[str | None, ...]:
    """The context headers of a request."""
    return tuple(request.headers.get(name) for name in NAMES)


def test_every_request_carries_the_context(service: Service, face: Face) -> None:
    with routing_context(project="atlas", run_id="run-1", tags=["nightly", "plan"]):
        face.resolve("manager")
        face.call_model_for_role("manager", [])
        face.embed_texts_batched(["a"])
    assert [sent(request) for request in service.received] == [("atlas", "run-1", "nightly,plan")] * 3


def test_without_a_context_nothing_is_sent(service: Service, face: Face) -> None:
    with routing_context(project="atlas"):
        pass
    face.resolve("manager")
    assert sent(service.received[0]) == (None, None, None)
    assert "project" not in service.received[0].query


def test_an_inner_context_inherits(service: Service, face: Face) -> None:
    with routing_context(project="atlas", tags=["nightly"]):
        with routing_context(run_id=42, tags=["plan", "nightly"]):
            face.call_model_for_role("manager", [])
        with routing_context(project=7):
            face.call_model_for_role("manager", [])
        face.call_model_for_role("manager", [])
    assert [sent(request) for request in service.received] == [
        ("atlas", "42", "nightly,plan"),
        ("7", None, "nightly"),
        ("atlas", None, "nightly"),
    ]


def test_an_exception_ends_the_context(service: Service, face: Face) -> None:
    with pytest.raises(KeyError), routing_context(project="atlas"):
        raise KeyError
    face.resolve("manager")
    assert sent(service.received[0]) == (None, None, None)


def test_tasks_do_not_see_each_others_context(service: Service) -> None:
    async def one(project: str) -> None:
        with routing_context(project=project):
            await asyncio.sleep(0.01)
            await client.acall_model_for_role("manager", [], user=project)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(f"p{number}") for number in range(20)))
        await client.aclose()

    asyncio.run(all_of_them())
    assert len(service.calls) == 20
    assert all(request.headers["x-iw-project"] == request.body["user"] for request in service.calls)


def test_a_new_thread_starts_without_and_to_thread_carries_it_over(service: Service) -> None:
    def call() -> None:
        client.call_model_for_role("manager", [])

    with routing_context(project="atlas"):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        asyncio.run(asyncio.to_thread(call))
    assert [request.headers.get("x-iw-project") for request in service.calls] == [None, "atlas"]


@pytest.mark.parametrize("value", ["", "two words", "a,b", "é", "x" * 129, "line\nbreak", "end\n"])
def test_an_id_that_can_not_be_sent_is_refused(value: str) -> None:
    for name in ("project", "run_id"):
        with pytest.raises(ValueError, match=name), routing_context(**{name: value}):
            pass
    with pytest.raises(ValueError, match="tags"), routing_context(tags=[value]):
        pass


def test_one_string_is_no_list_of_tags() -> None:
    with pytest.raises(ValueError, match="tags: give a list"), routing_context(tags="nightly"):
        pass
