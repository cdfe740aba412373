"""What a reconciliation tells: findings, which must not be, and notes, which are explained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FINDINGS = {
    "missing_decision": "named by a ledger, but we have no decision of that id",
    "missing_attempt": "a try that arrived at the provider, or was counted, has no row of ours",
    "missing_outcome": "the client has a whole answer, but no outcome of the server",
    "missing_at_provider": "the provider answered this try by our rows, but has no line of it",
    "missing_at_client": "a decision of ours that the client's log does not have",
    "duplicate": "one ledger has more than one entry for one id",
    "differs": "two ledgers tell different things of one call",
    "open": "a decision without an outcome that is too old to be under way",
    "sum_differs": "the provider's sum of a bucket and model is not ours",
}
NOTES = {
    "interrupted": "the try arrived at the provider; its row died with a killed process, and the sweeper says so",
    "running": "no outcome yet: the call may still be under way, or its process is not swept yet",
    "pending": "a writer's journal is not in the database yet; reconcile again when it is",
    "quarantined": "its table did not take a row of it; the row stands in quarantine, with the reason",
    "unseen": "a try without an answer that the provider never saw: the connection broke before",
    "unheard": "the provider tells more of a try than reached us: its answer, or its usage, was lost on the way",
    "withheld": "the client got 503 instead of the answer, because the record could not be confirmed in time",
    "unfinished": "the client did not get the whole answer",
    "retried": "an earlier try of the client's own SDK; its log has the last one",
    "unreached": "a client's line without a decision: refused before any, or never arrived",
    "foreign": "a line of the provider without an id of ours: somebody else's request on this account",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `ledger` is where it is to be seen: `ours`, `client`, `provider` or `usage`."""

    code: str
    ledger: str
    decision: str = ""
    seq: int | None = None
    line: int | None = None
    request: str = ""
    field: str = ""
    ours: Any = None
    theirs: Any = None
    detail: str = ""

    @property
    def is_note(self) -> bool:
        """Whether it is explained, and no finding."""
        return self.code in NOTES

    @property
    def meaning(self) -> str:
        """Its code in a sentence."""
        return NOTES.get(self.code) or FINDINGS[self.code]

    def as_row(self) -> dict[str, Any]:
        """It as the command tells it; what it does not have is left out."""
        told = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {"kind": "note" if self.is_note else "finding", **told}
