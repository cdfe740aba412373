"""A call that three ledgers tell alike, and ways to spoil it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from iwrouting.models import Decision, Writer
from iwrouting.reports.reconcile import ClientLine, Finding, Ledgers, ProviderLine, Report, Span, Wanted, reconcile
from tests.audit_tables import rows

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
EVER = Span(AT, datetime.max.replace(tzinfo=UTC))


@dataclass
class Story:
    """The rows go into the database at once; the two logs are kept here, by decision."""

    at: datetime = AT
    client: dict[str, ClientLine] = field(default_factory=dict)
    provider: dict[str, list[ProviderLine]] = field(default_factory=dict)

    def decision(self, **values: Any) -> Decision:
        """Only a decision, a second after the last one."""
        self.at += timedelta(seconds=1)
        return rows.decision(self.at, **{"request_id": f"req-{self.at:%H%M%S}", **values})

    def call(self, *, tries: int = 1, **values: Any) -> str:
        """A call that went well at its last try, and so does every ledger tell; the decision's id."""
        made = self.decision(**values)
        for seq in range(1, tries + 1):
            served = seq == tries
            error = {} if served else {"error_type": "server_error", "error_code": "server_error"}
            status = 200 if served else 500
            rows.attempt(
                made, seq, seq - 1, model="gpt-4.1", status=status, upstream_request_id=f"up-{made.id}-{seq}", **error
            )
            self.arrived(made, seq, status=status)
        result = "ok" if tries == 1 else "ok_after_fallback"
        self.closed(made, result, calls=tries)
        return str(made.id)

    def closed(self, made: Decision, result: str, **values: Any) -> None:
        """Its outcome, and the client's line of it."""
        usage = {"model_served": "gpt-4.1", "prompt_tokens": 10, "completion_tokens": 3, "tokens_source": "provider"}
        rows.outcome(made, result, **{"status": 200, **usage, **values})
        ident = str(made.id)
        self.client[ident] = ClientLine(0, ident, made.request_id, 200, "gpt-4.1", 10, 3)

    def arrived(self, made: Decision, seq: int, **values: Any) -> None:
        """The provider's line of a try."""
        ident = str(made.id)
        told = {"request": f"up-{ident}-{seq}", "status": 200, "model": "gpt-4.1", "prompt": 10, "completion": 3}
        self.provider.setdefault(ident, []).append(ProviderLine(0, ident, seq, **{**told, **values}))

    def report(self, **options: Any) -> Report:
        """What comes of comparing all three."""
        client = [line._replace(line=place) for place, line in enumerate(self.client.values(), 1)]
        every = [line for lines in self.provider.values() for line in lines]
        provider = [line._replace(line=place) for place, line in enumerate(every, 1)]
        return reconcile(Ledgers(client, provider), Wanted(**{"grace_s": 0.0, "span": EVER, **options}))

    def found(self, **options: Any) -> list[tuple[Any, ...]]:
        """Findings and notes in short: code, ledger, decision, seq, field, ours, theirs."""
        report = self.report(**options)
        return [short(found) for found in (*report.findings, *report.notes)]


def short(found: Finding) -> tuple[Any, ...]:
    """What a test compares of a finding."""
    told = (found.code, found.ledger, found.decision, found.seq, found.field, found.ours, found.theirs)
    return tuple(value for value in told if value not in (None, ""))


def writer(name: str, **values: Any) -> Writer:
    """Store a writer that lives."""
    named = {"host": "h", "pid": 1, "key_id": "k", "app_version": "1", "mode": "database"}
    times = {"started_at": AT - timedelta(hours=1), "heartbeat_at": datetime.now(UTC)}
    return Writer.objects.create(id=name, **{**named, **times, **values})


def new_id_of(at: datetime) -> str:
    """A decision's id of that time."""
    return str(rows.uuid7(at))
