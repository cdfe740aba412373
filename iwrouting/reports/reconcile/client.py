"""Our outcome of one call against the client's lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.reports.reconcile.findings import Finding
from iwrouting.reports.reconcile.lines import Call, ClientLine, Ended
from iwrouting.reports.reconcile.provider import EXPLAINED, LINKED, SERVED, same_model

UNHEARD = ("client_closed", "interrupted")
"""Results after which the client may well know nothing of the decision."""

OWN = ("resolved",)
"""Results of what is no call of a model."""

WITHHELD = ("", "audit_unavailable")


def judge_client(call: Call, waits: str) -> Iterator[Finding]:
    """What is to be told of the client's lines. `waits`: why rows of ours are not in their tables."""
    decided, outcome = call.decided[0], call.outcome
    if not call.client:
        told = decided.test or call.mark or decided.endpoint == LINKED or outcome is None
        if not told and outcome is not None and outcome.result not in (*UNHEARD, *OWN):
            yield Finding("missing_at_client", "client", call.decision, request=decided.request, ours=outcome.status)
        return
    line = call.client[0]
    if len(call.client) > 1:
        yield Finding(
            "duplicate", "client", call.decision, line=line.line, request=line.request, theirs=len(call.client)
        )
    if outcome is None or outcome.origin != "server":
        yield from _unrecorded(call, line, waits)
    else:
        yield from _compared(call, line, outcome)


def _unrecorded(call: Call, line: ClientLine, waits: str) -> Iterator[Finding]:
    """A line of a decision that the server never closed: a whole answer is more than a killed process can give."""
    is_whole = line.whole if line.whole is not None else not call.decided[0].stream
    if is_whole and line.status is not None and line.status < 300:
        code = waits if waits in EXPLAINED else "missing_outcome"
        yield Finding(code, "client", call.decision, line=line.line, request=line.request, theirs=line.status)


def _compared(call: Call, line: ClientLine, outcome: Ended) -> Iterator[Finding]:
    def told(code: str, field: str, ours: object, theirs: object) -> Finding:
        return Finding(
            code, "client", call.decision, line=line.line, request=line.request, field=field, ours=ours, theirs=theirs
        )

    served = outcome.result in SERVED
    if line.status is None or line.whole == 0:
        if served:
            yield told("unfinished", "result", outcome.result, None)
        return
    if outcome.status is not None and line.status != outcome.status:
        withheld = line.status == 503 and line.code in WITHHELD
        yield told("withheld" if withheld else "differs", "status", outcome.status, line.status)
        return
    if line.whole and line.status < 300 and not served and outcome.result not in OWN:
        yield told("differs", "result", outcome.result, "a whole answer")
    if line.model and outcome.model and not _may_name(line.model, outcome.model, call.decided[0].asked):
        yield told("differs", "model", outcome.model, line.model)
    for field in ("prompt", "completion"):
        ours, theirs = getattr(outcome, field), getattr(line, field)
        if served and ours is not None and theirs is not None and ours != theirs:
            yield told("differs", f"{field}_tokens", ours, theirs)


def _may_name(theirs: str, served: str, asked: str) -> bool:
    """Whether a client that logs this model means ours: by the answer's word, or as it asked."""
    return same_model(served, theirs) or theirs == asked
