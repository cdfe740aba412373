"""Responses that can be fetched later, as they are at each moment: queued, in progress, done, cancelled."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused

KEPT = 10_000


@dataclass(slots=True)
class Stored:
    """A response that can be fetched later, and the conversation up to it. Times: monotonic clock, seconds.

    `billed`: its usage is in the log already. With `polls` it is done at the fetch after so many, whatever the time.
    """

    response: Json
    items: list[Json]
    ready_at: float
    took: float
    billed: bool
    cancelled: bool = False
    polls: int | None = None
    fetched: int = 0

    @property
    def done(self) -> bool:
        """Whether it is finished, unless it was cancelled before."""
        return self.ready_at <= time.monotonic() if self.polls is None else self.fetched > self.polls

    def now(self) -> Json:
        """The response as it is now: queued, in progress, done or cancelled."""
        if self.cancelled:
            return unfinished(self.response, "cancelled")
        if self.done:
            return self.response
        left = self.ready_at - time.monotonic()
        waiting = left > self.took * 2 / 3 if self.polls is None else self.fetched == 0
        return unfinished(self.response, "queued" if waiting else "in_progress")

    def bill(self) -> Json | None:
        """The usage, the first time that it is asked for after the response is done."""
        if self.billed or self.cancelled or not self.done:
            return None
        self.billed = True
        usage: Json = self.response["usage"]
        return usage


@dataclass(slots=True)
class Store:
    """The responses that can be fetched; the oldest are forgotten."""

    kept: OrderedDict[str, Stored] = field(default_factory=OrderedDict)

    def put(self, stored: Stored) -> None:
        """Keeps one response."""
        self.kept[stored.response["id"]] = stored
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)

    def get(self, response_id: str) -> Stored:
        """The response. Refused with 404: not stored, or no such."""
        found = self.kept.get(response_id)
        if found is None:
            raise Refused(404, f"Response with id '{response_id[:200]}' not found.")
        return found

    def before(self, response_id: str | None) -> list[Json]:
        """The conversation up to a previous response; none: empty. Refused with 400: no such."""
        if response_id is None:
            return []
        found = self.kept.get(response_id)
        if found is None:
            message = f"Previous response with id '{response_id[:200]}' not found."
            raise Refused(400, message, param="previous_response_id", code="previous_response_not_found")
        return found.items


def unfinished(response: Json, status: str) -> Json:
    """A response that has no output yet, or never will."""
    empty: Json = {"output": [], "usage": None, "completed_at": None, "incomplete_details": None, "error": None}
    return {**response, "status": status, **empty}
