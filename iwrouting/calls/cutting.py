"""Calls that we end ourselves, where they outlast the drain (docs/processes.md)."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from iwrouting.errors import ShuttingDown
from iwrouting.types import SHUTTING_DOWN

T = TypeVar("T")


def cut_short(gone: asyncio.CancelledError) -> bool:
    """Whether it was the end of the drain that cancelled this task; it may then go on, to say so to its caller."""
    if gone.args != (SHUTTING_DOWN,):
        return False
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return True


def shutting_down(decision_id: str = "", *, sent: bool = False) -> ShuttingDown:
    """What the caller of such a call is told. What was `sent` upstream may be billed: no client shall repeat it."""
    if sent:
        return ShuttingDown(
            f"This worker is shutting down and ended the call; the provider had begun it. Decision {decision_id}.",
            should_retry=False,
        )
    return ShuttingDown(
        "This worker is shutting down: nothing was sent to a provider. Try again.", retry_after_s=1, should_retry=True
    )


async def outlasting(future: asyncio.Future[T]) -> T:
    """The result of what ends by itself soon, such as a commit: the end of the drain does not cut the wait for it."""
    try:
        # Shielded: a caller that leaves now must not take the rows out of their batch.
        return await asyncio.shield(future)
    except asyncio.CancelledError as gone:
        if not cut_short(gone):
            raise
        return await asyncio.shield(future)
