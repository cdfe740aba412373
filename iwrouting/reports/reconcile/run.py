"""One pass over all ledgers: everything that is to be told, as it is found, in the order of the decisions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from iwrouting.reports.reconcile import ours
from iwrouting.reports.reconcile.days import Day, Days
from iwrouting.reports.reconcile.findings import Finding
from iwrouting.reports.reconcile.index import Index
from iwrouting.reports.reconcile.judge import Rules, judge
from iwrouting.reports.reconcile.lines import ClientLine, ProviderLine
from iwrouting.reports.reconcile.merge import merge
from iwrouting.reports.reconcile.ours import Span
from iwrouting.reports.reconcile.sums import Compared, Export, Sums, add_ours, compare_sums, sum_findings

GRACE_S = 900.0
"""Longer than the deadline of a call, and than it takes until a process that died is swept."""


@dataclass
class Ledgers:
    """The logs to compare with our rows: None for one that is not there. Lines may come in any order."""

    client: Iterable[ClientLine] | None = None
    provider: Iterable[ProviderLine] | None = None
    usage: Export | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is compared: the decisions of `span`, of `project` and of the API key `key` where they are not empty.

    `upstreams`: those to which the provider's ledgers belong; empty: all. A decision younger than `grace_s` seconds may
    be without an outcome. `tolerance`: by how many percent sums may differ. `zone`: whose days a bill is told by.
    `progress` is called with the number of decisions so far, now and then.
    """

    span: Span = field(default_factory=Span)
    project: str = ""
    key: str = ""
    upstreams: frozenset[str] = frozenset()
    grace_s: float = GRACE_S
    tolerance: float = 0.0
    zone: tzinfo = UTC
    progress: Callable[[int], None] = lambda _: None


@dataclass
class Report:
    """What was found: how many of each code, how many decisions were compared, the sums by bucket and by day, the span.

    `findings` and `notes` are filled by `reconcile` alone.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    decisions: int = 0
    sums: list[Compared] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    span: Span = field(default_factory=Span)


def reconcile(ledgers: Ledgers, wanted: Wanted | None = None) -> Report:
    """Compare, and keep everything that is told in memory. Raises django.db.DatabaseError."""
    report = Report()
    for found in compare(ledgers, wanted or Wanted(), report):
        (report.notes if found.is_note else report.findings).append(found)
    return report


def compare(ledgers: Ledgers, wanted: Wanted, report: Report) -> Iterator[Finding]:
    """The findings and notes as they are found; `report` counts them. Raises django.db.DatabaseError."""
    index = Index()
    try:
        index.add_client(ledgers.client or ())
        index.add_provider(ledgers.provider or ())
        report.span = _span(index, ledgers, wanted.span)
        for found in _all(index, ledgers, wanted, report):
            report.counts[found.code] += 1
            yield found
    finally:
        index.close()


def _span(index: Index, ledgers: Ledgers, given: Span) -> Span:
    """The span that was asked for, its open ends taken from the logs: what they can't know they don't lack."""
    low, high = index.span()
    if ledgers.usage is not None and ledgers.client is None and ledgers.provider is None:
        low, high = float(ledgers.usage.start), ledgers.usage.end - 0.001
    return given.within(low, high)


def _all(index: Index, ledgers: Ledgers, wanted: Wanted, report: Report) -> Iterator[Finding]:
    span, rules = report.span, _rules(ledgers, wanted)
    index.keep(*span.seconds)
    if index.has_requests:
        index.name_client(ours.requests(span))
    if index.has_upstream_requests:
        index.name_provider(ours.upstream_requests(span))
    sums: Sums = {}
    days = None if ledgers.usage is None else Days(ledgers.usage, wanted.zone, wanted.upstreams)
    for call in merge(ours.windows(span), index.client(), index.provider(), index.marks()):
        report.decisions += bool(call.decided)
        wanted.progress(report.decisions)
        yield from judge(call, rules)
        if days is not None and ledgers.usage is not None and call.decided and rules.wants(call.decided[0]):
            add_ours(sums, call, ledgers.usage, wanted.upstreams)
            days.add(call)
    yield from _unnamed(index)
    if days is not None and ledgers.usage is not None:
        report.sums = list(compare_sums(sums, ledgers.usage))
        report.days = days.rows(report.sums, wanted.tolerance)
        for compared in report.sums:
            yield from sum_findings(compared, wanted.tolerance)


def _rules(ledgers: Ledgers, wanted: Wanted) -> Rules:
    return Rules(
        now=time.time(),
        client=ledgers.client is not None,
        provider=ledgers.provider is not None,
        project=wanted.project,
        key=wanted.key,
        upstreams=wanted.upstreams,
        grace_s=wanted.grace_s,
        undrained=ours.undrained(wanted.span.using),
        unfinished=ours.unfinished(wanted.span.using),
        quarantined=ours.quarantined(wanted.span.using),
    )


def _unnamed(index: Index) -> Iterator[Finding]:
    """Lines whose decision is not known: a client's answer must have one, a provider's line may be somebody else's."""
    for line in index.unnamed_client():
        is_answer = line.whole != 0 and line.status is not None and line.status < 300
        code = "missing_decision" if is_answer else "unreached"
        yield Finding(code, "client", line=line.line, request=line.request, theirs=line.status)
    for other in index.unnamed_provider():
        yield Finding("foreign", "provider", line=other.line, request=other.request, theirs=other.status)
