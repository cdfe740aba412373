"""Run a flow with the sync or the async SDK client: all that differs between the two faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from iwrouting._client import router as routers
from iwrouting._client.flows import Flow
from iwrouting._client.router import Router

T = TypeVar("T")
P = ParamSpec("P")


def run(start: Callable[Concatenate[Router, P], Flow[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a flow to its end in this thread."""
    router = routers.current()
    flow = start(router, *args, **kwargs)
    try:
        step = next(flow)
        while True:
            try:
                result = step(router.clients.sync())
            except BaseException as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return cast(T, end.value)


async def arun(start: Callable[Concatenate[Router, P], Flow[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a flow to its end in this task."""
    router = routers.current()
    flow = start(router, *args, **kwargs)
    try:
        step = next(flow)
        while True:
            try:
                result = await step(router.clients.of_loop())
            except BaseException as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return cast(T, end.value)
