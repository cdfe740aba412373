"""The usage of a call that went on in the background: it is known when the response is fetched, and recorded once.

The outcome of the call itself was stored when the provider accepted it, and is never changed. So the usage gets a
decision and an outcome of its own, `responses.usage`: made for the same project, alias and run, at the same time, with
an id that follows from the call's, so that whoever fetches the response again, on whichever worker, makes the same row.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from iwrouting.audit import DECISION, LATE_USAGE, OUTCOME, Rows, decision_time, finish_row
from iwrouting.calls.counting import count_late_usage
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.service import Service
from iwrouting.pricing import cost
from iwrouting.types import HeldFacts, Result, Rung, Source


async def settled(service: Service, draft: Draft, ending: Ending) -> Rows:
    """The rows that record the usage which a fetch told; none where it is recorded.

    What was used in the foreground stands on the outcome of the call that made the response.
    """
    usage, held = ending.usage, draft.fetches
    if held is None or usage is None or not held.is_background or not held.decision:
        return []
    usage_id = derived_id(held.decision_id, "usage")
    if await service.held.recorded(held.decision_id, usage_id):
        return []
    prices = draft.config.prices.get(held.model, ())
    found = Ending(
        result=Result.OK if ending.finish_reason else Result.ERROR,
        status=200,
        rung=Rung(0, None, held.model, Source.EXPLICIT, held.upstream),
        endpoint=draft.endpoint,
        error_code="" if ending.finish_reason else "response_failed",
        finish_reason=ending.finish_reason,
        usage=usage,
        cost=cost(usage, prices, decision_time(held.decision_id)),
    )
    count_late_usage(service.meters, draft.config, held, found)
    return _rows(draft, held, usage_id, found)


def _rows(draft: Draft, held: HeldFacts, usage_id: str, ending: Ending) -> Rows:
    made = {**held.decision, "id": usage_id, "endpoint": LATE_USAGE, "reason": f"usage of decision {held.decision_id}"}
    told = {
        **draft.outcome_row(ending),
        "id": derived_id(held.decision_id, "outcome"),
        "decision_id": usage_id,
        "decision_at": held.decision["decision_at"],
        "ended_at": datetime.now(UTC),
        "endpoint_served": "responses",
        "latency_us": None,
    }
    return [(DECISION, finish_row(DECISION, made)), (OUTCOME, finish_row(OUTCOME, told))]


def derived_id(decision_id: str, purpose: str) -> str:
    """An id of the same time that follows from a decision's: the same for the same purpose, wherever it is made."""
    digest = hashlib.sha256(f"{purpose}:{decision_id}".encode()).digest()
    low = int.from_bytes(digest[:8], "big") & (2**62 - 1) | 2**63
    middle = int.from_bytes(digest[8:10], "big") & 0xFFF | 0x7000
    return f"{decision_id[:14]}{middle:04x}-{low >> 48:04x}-{low & (2**48 - 1):012x}"
