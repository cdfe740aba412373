"""Random calls in three ledgers, entries removed, repeated and altered: exactly these are found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.reports.reconcile import ClientLine, Ledgers, ProviderLine, Wanted, ours, reconcile
from tests.audit_tables import rows
from tests.reconcile.story import AT, EVER

CALLS = 150
Told = tuple[str, str]


@dataclass
class Case:
    """One call in three ledgers that agree, until one of the functions below spoils it."""

    dice: random.Random
    decisions: list[Decision]
    attempts: list[Attempt]
    outcomes: list[Outcome]
    client: list[ClientLine]
    provider: list[ProviderLine]

    def some(self) -> int:
        """The place of one of the tries."""
        return self.dice.randrange(len(self.provider))

    def alter_client(self, **values: Any) -> None:
        self.client[0] = self.client[0]._replace(**values)

    def alter_provider(self, place: int, **values: Any) -> None:
        self.provider[place] = self.provider[place]._replace(**values)


def sound(dice: random.Random) -> Case:
    """A call with one to three tries of which the last one served."""
    made = Decision(**rows.decision_values(AT, is_stream=dice.random() < 0.5))
    tries, ident = dice.randint(1, 3), str(made.id)
    where = {"kind": "call", "rung": 0, "model": "m", "upstream": "openai", "endpoint": "chat"}
    attempts, provider = [], []
    for seq in range(1, tries + 1):
        status, error = (200, "") if seq == tries else (500, "server_error")
        values = {
            "seq": seq,
            "try_number": seq,
            "status": status,
            "error_type": error,
            "upstream_request_id": f"u{seq}",
        }
        attempts.append(Attempt(**rows.audit_values(AT), decision=made, **where, **values))
        provider.append(ProviderLine(0, ident, seq, f"u{seq}", status, "m", 7, 2))
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "tokens_source": "provider", "cost_state": "exact"}
    ended = {"origin": "server", "result": "ok", "status": 200, "ended_at": AT, "model_served": "m", "calls": tries}
    outcome = Outcome(**rows.audit_values(AT), decision=made, **ended, **usage)
    client = [ClientLine(0, ident, "", 200, "m", 7, 2, whole=1)]
    return Case(dice, [made], attempts, [outcome], client, provider)


def lose_decision(case: Case) -> list[Told]:
    case.decisions.clear()
    return [("missing_decision", "client")]


def lose_attempt(case: Case) -> list[Told]:
    del case.attempts[case.some()]
    return [("missing_attempt", "provider")]


def lose_outcome(case: Case) -> list[Told]:
    case.outcomes.clear()
    return [("open", "ours"), ("missing_outcome", "client")]


def lose_at_provider(case: Case) -> list[Told]:
    del case.provider[case.some()]
    return [("missing_at_provider", "provider")]


def lose_at_client(case: Case) -> list[Told]:
    case.client.clear()
    return [("missing_at_client", "client")]


def repeat_at_provider(case: Case) -> list[Told]:
    case.provider.append(case.provider[case.some()])
    return [("duplicate", "provider")]


def repeat_at_client(case: Case) -> list[Told]:
    case.client *= case.dice.randint(2, 4)
    return [("duplicate", "client")]


def alter_at_client(case: Case) -> list[Told]:
    changes: list[dict[str, Any]] = [{"status": 404}, {"model": "n"}, {"prompt": 8}, {"completion": 0}]
    case.alter_client(**case.dice.choice(changes))
    return [("differs", "client")]


def alter_at_provider(case: Case) -> list[Told]:
    changes: list[dict[str, Any]] = [{"status": 404}, {"model": "n"}, {"request": "u"}]
    case.alter_provider(case.some(), **case.dice.choice(changes))
    return [("differs", "provider")]


def alter_tokens_at_provider(case: Case) -> list[Told]:
    case.alter_provider(-1, **case.dice.choice([{"prompt": 8}, {"completion": 0}]))
    return [("differs", "provider")]


def alter_ours(case: Case) -> list[Told]:
    case.outcomes[0].completion_tokens = 3
    return [("differs", "client"), ("differs", "provider")]


def kill(case: Case) -> list[Told]:
    case.attempts.clear()
    case.outcomes[0] = Outcome(
        **rows.audit_values(AT),
        decision=case.decisions[0],
        origin="sweeper",
        result="interrupted",
        ended_at=AT,
        cost_state="none",
    )
    case.alter_client(status=None, whole=0)
    return [("interrupted", "provider")] * len(case.provider)


def reset(case: Case) -> list[Told]:
    case.attempts[0].status, case.attempts[0].error_type = None, "upstream_error"
    case.attempts[0].upstream_request_id = ""
    return [("unheard", "provider")]


def never_arrive(case: Case) -> list[Told]:
    del case.provider[0]
    case.attempts[0].status, case.attempts[0].error_type = None, "upstream_error"
    return [("unseen", "provider")]


SPOILS: tuple[Callable[[Case], list[Told]], ...] = (
    lose_decision,
    lose_attempt,
    lose_outcome,
    lose_at_provider,
    lose_at_client,
    repeat_at_provider,
    repeat_at_client,
    alter_at_client,
    alter_at_provider,
    alter_tokens_at_provider,
    alter_ours,
    kill,
    reset,
    never_arrive,
)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_random_ledgers__tell_exactly_what_was_done_to_them(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "WINDOW", 7)
    dice = random.Random(seed)  # noqa: S311 - a load, no secret
    cases, told = [sound(dice) for _ in range(CALLS)], Counter[tuple[str, ...]]()
    for case in cases:
        ident = str(case.decisions[0].id)
        if dice.random() < 0.6:
            told.update((*each, ident) for each in dice.choice(SPOILS)(case))
    Decision.objects.bulk_create(each for case in cases for each in case.decisions)
    Attempt.objects.bulk_create(each for case in cases for each in case.attempts)
    Outcome.objects.bulk_create(each for case in cases for each in case.outcomes)
    client = [line for case in cases for line in case.client]
    provider = [line for case in cases for line in case.provider]
    dice.shuffle(client)
    dice.shuffle(provider)
    report = reconcile(Ledgers(client, provider), Wanted(EVER, grace_s=0))
    found = Counter((each.code, each.ledger, each.decision) for each in (*report.findings, *report.notes))
    assert found == told
    assert len({code for code, *_ in told}) >= 10
