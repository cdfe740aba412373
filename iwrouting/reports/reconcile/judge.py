"""Whether the ledgers agree on one call. Pure.

A missing row of ours is told once, by what proves that it existed. What a killed process took along is a note: the
provider has the try, and the decision is closed by the sweeper or not closed yet. What waits in a journal is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iwrouting.reports.reconcile.client import judge_client
from iwrouting.reports.reconcile.findings import Finding
from iwrouting.reports.reconcile.lines import Call, Decided, id_seconds
from iwrouting.reports.reconcile.provider import judge_provider

UNAVAILABLE = 503
QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is compared. `client` and `provider`: whether that ledger is there at all.

    `project`, `key`: only their decisions; empty: all. `upstreams`: those whose tries stand in the provider's log;
    empty: all.
    `now` is Unix time; a decision younger than `grace_s` may be without an outcome while its writer is one of
    `unfinished`: it lives, or is not swept yet. `undrained` has the writers whose journals hold rows, and the Unix time
    at which each began; `quarantined` the decisions of which a row stands in quarantine.
    """

    now: float
    client: bool = False
    provider: bool = False
    project: str = ""
    key: str = ""
    upstreams: frozenset[str] = frozenset()
    grace_s: float = 0.0
    undrained: Mapping[str, float] = field(default_factory=dict)
    unfinished: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()

    def wants(self, decided: Decided) -> bool:
        """Whether a decision is one of those that are compared."""
        return (not self.project or decided.project == self.project) and (not self.key or decided.key == self.key)


def judge(call: Call, rules: Rules) -> Iterator[Finding]:
    """Everything that is to be told of one call."""
    if not call.decided:
        yield _undecided(call, rules)
        return
    if not rules.wants(call.decided[0]):
        return
    yield from _repeated(call)
    waits = _waits(call, rules)
    if not call.ended:
        yield Finding(waits or "open", "ours", call.decision)
    if waits != QUARANTINED:
        yield from _gaps(call)
    if rules.provider:
        yield from judge_provider(call, rules.upstreams, waits)
    if rules.client:
        yield from judge_client(call, waits)


def _undecided(call: Call, rules: Rules) -> Finding:
    named = [f"line {line.line} of the client" for line in call.client]
    named += [f"line {line.line} of the provider" for line in call.provider]
    named += ["an attempt of ours"] * bool(call.tried) + ["an outcome of ours"] * bool(call.ended)
    ledger = "client" if call.client else "provider" if call.provider else "ours"
    code = "missing_decision"
    if call.decision in rules.quarantined:
        code = QUARANTINED
    elif any(began <= id_seconds(call.decision) for began in rules.undrained.values()):
        code = "pending"
    elif len(named) == len(call.client) and all(line.status == UNAVAILABLE for line in call.client):
        code = "unreached"
    lines = [line.line for line in call.client] + [line.line for line in call.provider]
    return Finding(code, ledger, call.decision, line=lines[0] if lines else None, detail=f"named by {', '.join(named)}")


def _repeated(call: Call) -> Iterator[Finding]:
    if len(call.decided) > 1:
        yield Finding("duplicate", "ours", call.decision, field="decision", ours=len(call.decided))
    elif call.mark:
        yield Finding(call.mark, "ours", call.decision, request=call.decided[0].request, field="request")
    seqs = [tried.seq for tried in call.tried]
    for seq in sorted({seq for seq in seqs if seqs.count(seq) > 1}):
        yield Finding("duplicate", "ours", call.decision, seq, field="attempt", ours=seqs.count(seq))
    origins = [ended.origin for ended in call.ended]
    for origin in sorted({origin for origin in origins if origins.count(origin) > 1}):
        yield Finding("duplicate", "ours", call.decision, field=f"outcome of {origin}", ours=origins.count(origin))


def _waits(call: Call, rules: Rules) -> str:
    """Why rows of a decision are not in their tables: `quarantined`, `pending`, `running`, or an empty text."""
    writer = call.decided[0].writer
    if call.decision in rules.quarantined:
        return QUARANTINED
    if writer in rules.undrained:
        return "pending"
    young = rules.now - id_seconds(call.decision) < rules.grace_s
    return "running" if young and writer in rules.unfinished else ""


def _gaps(call: Call) -> Iterator[Finding]:
    """Attempts that ours alone prove: numbers left out, and fewer calls than the outcome counted.

    What the provider has too is told where it is compared.
    """
    outcome = call.outcome
    if outcome is None or outcome.origin != "server":
        return
    seqs = {tried.seq for tried in call.tried}
    known = seqs | {line.seq for line in call.provider}
    lost = sorted(set(range(1, max(known, default=0) + 1)) - known)
    for seq in lost:
        yield Finding("missing_attempt", "ours", call.decision, seq, detail="the numbers of its neighbours are there")
    called = sum(1 for tried in call.tried if tried.kind == "call")
    if outcome.calls > called + len(lost) + len(known - seqs):
        yield Finding("missing_attempt", "ours", call.decision, field="calls", ours=called, theirs=outcome.calls)
