"""Three ledgers of the same calls against each other: a client's log, the provider's log, and our own rows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from iwrouting.reports.reconcile import ours
from iwrouting.reports.reconcile.columns import client_lines, provider_lines
from iwrouting.reports.reconcile.findings import FINDINGS, NOTES, Finding
from iwrouting.reports.reconcile.index import Index
from iwrouting.reports.reconcile.judge import Rules, judge
from iwrouting.reports.reconcile.lines import Call, ClientLine, ProviderLine, id_seconds
from iwrouting.reports.reconcile.merge import merge
from iwrouting.reports.reconcile.ours import Span

__all__ = [
    "FINDINGS",
    "NOTES",
    "ClientLine",
    "Finding",
    "Ledgers",
    "ProviderLine",
    "Report",
    "Span",
    "client_lines",
    "id_seconds",
    "provider_lines",
    "reconcile",
]


@dataclass
class Ledgers:
    """The logs to compare with our rows: None for one that is not there. Lines may come in any order."""

    client: Iterable[ClientLine] | None = None
    provider: Iterable[ProviderLine] | None = None


@dataclass
class Report:
    """What was found: each finding and note, and how many there are of each code; how many decisions were compared."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    decisions: int = 0


def reconcile(
    ledgers: Ledgers,
    span: Span | None = None,
    *,
    project: str = "",
    upstreams: Iterable[str] = (),
    grace_s: float = 900.0,
) -> Report:
    """Compare, and keep everything that is told in memory.

    span: which decisions, of which database; None: all of the default one. project, upstreams, grace_s: as in Rules;
    `grace_s=0` finds every decision that is open now. Raises django.db.DatabaseError.
    """
    report = Report()
    for found in findings(
        ledgers, span or Span(), report, project=project, upstreams=frozenset(upstreams), grace_s=grace_s
    ):
        (report.notes if found.is_note else report.findings).append(found)
    return report


def findings(
    ledgers: Ledgers,
    span: Span,
    report: Report,
    *,
    project: str = "",
    upstreams: frozenset[str] = frozenset(),
    grace_s: float = 900.0,
) -> Iterator[Finding]:
    """The findings and notes as they are found, in the order of the decisions; `report` counts them."""
    rules = Rules(
        now=time.time(),
        client=ledgers.client is not None,
        provider=ledgers.provider is not None,
        project=project,
        upstreams=upstreams,
        grace_s=grace_s,
        undrained=ours.undrained(span.using),
        unfinished=ours.unfinished(span.using),
    )
    index = Index()
    try:
        _fill(index, ledgers, span)
        for found in _all(index, span, rules, report):
            report.counts[found.code] += 1
            yield found
    finally:
        index.close()


def _fill(index: Index, ledgers: Ledgers, span: Span) -> None:
    index.add_client(line for line in ledgers.client or () if _inside(line.decision, span))
    index.add_provider(line for line in ledgers.provider or () if _inside(line.decision, span))
    if index.has_requests:
        index.name_client(ours.requests(span))
    if index.has_upstream_requests:
        index.name_provider(ours.upstream_requests(span))


def _inside(decision: str, span: Span) -> bool:
    return not decision or span.holds(decision)


def _all(index: Index, span: Span, rules: Rules, report: Report) -> Iterator[Finding]:
    for call in merge(ours.windows(span), index.client(), index.provider(), index.marks()):
        report.decisions += bool(call.decided)
        yield from judge(call, rules)
    for line in index.unnamed_client():
        is_answer = line.whole != 0 and line.status is not None and line.status < 300
        code = "missing_decision" if is_answer else "unreached"
        yield Finding(code, "client", line=line.line, request=line.request, theirs=line.status)
    for other in index.unnamed_provider():
        yield Finding("foreign", "provider", line=other.line, request=other.request, theirs=other.status)


def calls(span: Span) -> Iterator[Call]:
    """Our own rows of the span alone, call by call."""
    return merge(ours.windows(span), (), (), ())
