"""Our tries of one call against the provider's lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iwrouting.reports.reconcile.findings import Finding
from iwrouting.reports.reconcile.lines import Call, ProviderLine, Tried

DATED = re.compile(r"-(20\d\d-\d\d-\d\d)$")
"""What a provider puts behind a model's name to tell which snapshot of it served."""

WITH_USAGE = ("chat", "responses", "embeddings")
"""Endpoints whose answer's usage is of the call itself; that of a stored response was used before."""

LINKED = "responses.usage"
"""Decisions that record the usage of a call in the background: nobody asked for them."""

SERVED = ("ok", "ok_after_fallback")

EXPLAINED = ("pending", "quarantined")
"""Why any row of ours may lack, whatever the outcome says."""


def family(model: str) -> str:
    """A model's name without the date of its snapshot."""
    return DATED.sub("", model)


def same_model(ours: str, theirs: str) -> bool:
    """Whether two names may mean one model: equal, or one is a dated snapshot of the other."""
    return ours == theirs or DATED.sub("", theirs) == ours or DATED.sub("", ours) == theirs


def judge_provider(call: Call, upstreams: frozenset[str], waits: str) -> Iterator[Finding]:
    """What is to be told of the tries. `waits`: why rows of ours are not in their tables."""
    tries = {tried.seq: tried for tried in call.tried}
    lines = {line.seq: line for line in reversed(call.provider)}
    for seq, line in sorted(lines.items()):
        again = sum(1 for each in call.provider if each.seq == seq)
        if again > 1:
            yield Finding("duplicate", "provider", call.decision, seq, line.line, line.request, theirs=again)
        if seq in tries:
            yield from _compared(call, tries[seq], line)
        else:
            yield _unknown(call, line, waits)
    for seq, tried in sorted(tries.items()):
        if seq not in lines and tried.kind == "call" and (not upstreams or tried.upstream in upstreams):
            code = "unseen" if tried.status is None else "missing_at_provider"
            yield Finding(code, "provider", call.decision, seq, request=tried.request, ours=tried.status)
    yield from _tokens(call, tries, lines)


def _unknown(call: Call, line: ProviderLine, waits: str) -> Finding:
    """A line whose try has no row."""
    outcome = call.outcome
    code = "missing_attempt"
    if waits in EXPLAINED:
        code = waits
    elif outcome is None or outcome.origin == "sweeper":
        code = waits or "interrupted"
    return Finding(code, "provider", call.decision, line.seq, line.line, line.request, theirs=line.status)


def _compared(call: Call, tried: Tried, line: ProviderLine) -> Iterator[Finding]:
    def told(field: str, ours: object, theirs: object) -> Finding:
        return Finding("differs", "provider", call.decision, tried.seq, line.line, line.request, field, ours, theirs)

    if tried.kind != "call":
        yield told("kind", tried.kind, "call")
        return
    if tried.model and line.model and not same_model(tried.model, line.model):
        yield told("model", tried.model, line.model)
    if tried.status is None:
        if line.status is not None:
            yield Finding(
                "unheard", "provider", call.decision, tried.seq, line.line, line.request, "status", None, line.status
            )
        return
    if line.status is not None and tried.status != line.status:
        yield told("status", tried.status, line.status)
    if tried.request and line.request and tried.request != line.request:
        yield told("upstream_request_id", tried.request, line.request)


def _tokens(call: Call, tries: dict[int, Tried], lines: dict[int, ProviderLine]) -> Iterator[Finding]:
    """The usage of an answer against that of the tries that made it: of embeddings there may be many."""
    outcome = call.outcome
    served = [seq for seq, tried in tries.items() if tried.kind == "call" and not tried.error_type]
    if outcome is None or outcome.result not in SERVED or call.decided[0].endpoint not in WITH_USAGE:
        return
    if outcome.counted != "provider" or not served or any(seq not in lines for seq in served):
        return
    for field in ("prompt", "completion"):
        ours = getattr(outcome, field)
        theirs = [getattr(lines[seq], field) for seq in served]
        if ours is not None and None not in theirs and ours != sum(theirs):
            line = lines[served[-1]]
            yield Finding(
                "differs",
                "provider",
                call.decision,
                line.seq,
                line.line,
                line.request,
                f"{field}_tokens",
                ours,
                sum(theirs),
            )
