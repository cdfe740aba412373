"""Responses that providers keep: which upstream holds one, and who may use it (openai-facts.md 5).

The account at the provider is one for all projects. So who names a response of another project is told that there is
none, and a call that goes on from a known one goes to the upstream that holds it.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from django.db import Error as DatabaseError

from iwrouting.audit import HELD, REPEATED, Row, find_held, finish_row, new_id, usage_recorded
from iwrouting.calls.caller import Caller
from iwrouting.calls.draft import Draft, Ending
from iwrouting.conf.redact import redact
from iwrouting.errors import BadRequest, NotFound, Unavailable
from iwrouting.resolver import may_reach
from iwrouting.types import AttemptRecord, Endpoint, HeldFacts

T = TypeVar("T")
U = TypeVar("U")
PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=~+-]{0,255}")
"""What a response id may look like: it becomes a part of a path at the provider. Some proxies make theirs in base64."""

KNOWN = 4_000
PATIENCE_S = 2.0
"""How long the database may take to say whose a response is."""


class HeldResponses:
    """The held responses of one worker: those it made lately in memory, all others in the database."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], HeldFacts] = OrderedDict()
        self._recorded: OrderedDict[str, None] = OrderedDict()
        self._threads = ThreadPoolExecutor(2, "iw-held")

    def add(self, held: HeldFacts) -> None:
        """Remember one."""
        _remember(self._known, (held.project, held.response_id), held)

    async def find(self, caller: Caller, response_id: str) -> tuple[HeldFacts | None, bool]:
        """The response, if this caller may use it, and whether another project or key has one of that id.

        Raises Unavailable where neither memory nor the database can tell.
        """
        if PLAIN_ID.fullmatch(response_id) is None:
            return None, False
        known = self._known.get((caller.project_text, response_id))
        rows = (known,) if known is not None else await self._ask(find_held, response_id)
        usable = (row for row in rows if row.project == caller.project_text and may_reach(caller.key, row.model))
        held = next(usable, None)
        if held is not None and known is None:
            self.add(held)
        return held, bool(rows) and held is None

    async def own(self, caller: Caller, response_id: str) -> HeldFacts:
        """The response, if this caller may use it. Raises NotFound, as for one that does not exist, or Unavailable."""
        held, _ = await self.find(caller, response_id)
        if held is None:
            shown = response_id if PLAIN_ID.fullmatch(response_id) else "given"
            raise NotFound(f"Response with id '{shown}' not found: only stored ones of this project can be fetched.")
        return held

    async def recorded(self, decision_id: str, usage_id: str) -> bool:
        """Whether the usage of a background call is in the audit; False where that can't be told now."""
        if decision_id in self._recorded:
            return True
        try:
            found = await self._ask(usage_recorded, (decision_id, usage_id))
        except Unavailable:
            # Recorded again it is the same row: the database keeps one of them.
            return False
        if found:
            self.mark_recorded(decision_id)
        return found

    def mark_recorded(self, decision_id: str) -> None:
        """Remember that the usage of a background call is in the audit."""
        _remember(self._recorded, decision_id, None)

    def close(self) -> None:
        """Ask the database no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, look: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._threads, look, *arguments), PATIENCE_S)
        except (DatabaseError, TimeoutError):
            raise Unavailable(
                "Whose this response is can't be looked up now: the database does not answer. Try again shortly.",
                code="database_unavailable",
            ) from None


def _remember(known: OrderedDict[T, U], key: T, value: U) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > KNOWN:
        known.popitem(last=False)


async def pin(held: HeldResponses, caller: Caller, previous: str) -> str:
    """The upstream that holds a previous response; empty for one that is not known here: the primary's to judge.

    Raises BadRequest for another project's, as the provider does for one that does not exist, or Unavailable.
    """
    found, of_others = await held.find(caller, previous)
    if of_others:
        raise BadRequest(
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return found.upstream if found else ""


def held_by(draft: Draft, attempts: list[AttemptRecord], ending: Ending) -> HeldFacts | None:
    """What the provider keeps of a call that it answered, where it was asked to."""
    if not draft.is_kept or ending.rung is None:
        return None
    attempt = next((each for each in reversed(attempts) if each.kind == "call"), None)
    if attempt is None or attempt.endpoint != Endpoint.RESPONSES or not _fetchable(attempt.response_id):
        return None
    row = draft.decision_row()
    return HeldFacts(
        response_id=attempt.response_id,
        project=draft.caller.project_text,
        key_id=draft.caller.key.key_id,
        upstream=attempt.upstream,
        model=attempt.model,
        decision_id=draft.id,
        is_background=draft.goes_on,
        decision={name: row[name] for name in REPEATED},
    )


def held_row(held: HeldFacts) -> tuple[str, Row]:
    """The row of a held response."""
    values = {
        "id": new_id(),
        "response_id": held.response_id,
        "decision_id": held.decision_id,
        "created_at": datetime.now(UTC),
        "project": held.project,
        "key_id": held.key_id,
        "upstream": held.upstream,
        "model": held.model,
        "is_background": held.is_background,
    }
    return HELD, finish_row(HELD, values)


def _fetchable(response_id: str) -> bool:
    return PLAIN_ID.fullmatch(response_id) is not None and redact(response_id) == response_id
