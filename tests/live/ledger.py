"""The audit as the tests read it back: decisions with their attempts and outcomes, by the ORM and by the views."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from iwrouting.models import Attempt, Decision, Outcome
from tests.live.databases import ALIAS, statement

T = TypeVar("T")
PATIENCE_S = 5.0
STORED = ("decision", "attempt", "outcome", "environmentsnapshot", "writer", "quarantinedrow", "seal", "alert")
"""The tables of the audit."""


@dataclass(frozen=True)
class Record:
    """One decision with what belongs to it."""

    decision: Decision
    attempts: list[Attempt]
    outcomes: list[Outcome]

    @property
    def outcome(self) -> Outcome:
        """Its one outcome."""
        assert len(self.outcomes) == 1, self.outcomes
        return self.outcomes[0]

    @property
    def calls(self) -> list[Attempt]:
        """The tries that were sent."""
        return [attempt for attempt in self.attempts if attempt.kind == "call"]

    @property
    def ladder(self) -> dict[str, dict[str, Any]]:
        """The stored ladder, by source."""
        return {step["source"]: step for step in json.loads(self.decision.ladder)}

    @property
    def usage(self) -> tuple[int | None, int | None]:
        """Tokens of prompt and completion as stored."""
        return self.outcome.prompt_tokens, self.outcome.completion_tokens

    @property
    def tried(self) -> list[tuple[Any, ...]]:
        """The attempts in short: seq, kind, rung, try, model, status, and the reason of a skip or the error's code."""
        return [
            (a.seq, a.kind, a.rung, a.try_number, a.model, a.status, a.skip_reason or a.error_code or a.error_type)
            for a in self.attempts
        ]

    def served(self) -> tuple[str, str, int | None]:
        """How it ended: result, model, status."""
        return self.outcome.result, self.outcome.model_served, self.outcome.status


def record(decision_id: str) -> Record:
    """What is stored of one decision. AssertionError where there is none."""
    found = Decision.objects.using(ALIAS).filter(id=decision_id).first()
    assert found is not None, f"no decision {decision_id}"
    return _with_rows(found)


def records_of_run(run_id: str) -> list[Record]:
    """What is stored of a run, oldest decision first."""
    return [_with_rows(row) for row in Decision.objects.using(ALIAS).filter(run_id=run_id).order_by("id")]


def records_of_request(request_id: str) -> list[Record]:
    """What is stored under one request id."""
    return [_with_rows(row) for row in Decision.objects.using(ALIAS).filter(request_id=request_id).order_by("id")]


def _with_rows(row: Decision) -> Record:
    # The outcome first: whoever sees it must see the attempts that were committed with it.
    outcomes = list(Outcome.objects.using(ALIAS).filter(decision=row.id).order_by("id"))
    return Record(row, list(Attempt.objects.using(ALIAS).filter(decision=row.id).order_by("seq")), outcomes)


def view(name: str, decision_id: str) -> Sequence[dict[str, Any]]:
    """The rows of one reporting view for a decision."""
    return statement(f"SELECT * FROM {name} WHERE decision_id = %s", decision_id)  # noqa: S608 - names of our own


def everything_stored() -> str:
    """Every value of every row of the audit as one text, to search for what must not be there."""
    tables = [f"iwrouting_{name}" for name in STORED]
    rows = [row for table in tables for row in statement(f"SELECT * FROM {table}")]  # noqa: S608 - names of our own
    assert rows
    return "\n".join(str(value) for row in rows for value in row.values())


def eventually(ask: Callable[[], T | None], what: str = "it", patience_s: float = PATIENCE_S) -> T:
    """What `ask` gives as soon as it gives something true. AssertionError after `patience_s`."""
    until = time.monotonic() + patience_s
    while not (found := ask()):
        assert time.monotonic() < until, f"{what} did not happen within {patience_s} s"
        time.sleep(0.02)
    return found


def plain_id(value: UUID | str) -> str:
    """An id as dashed text."""
    return str(UUID(str(value)))
