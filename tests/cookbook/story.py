"""The cookbook's demo data: the same rows each time, in a database that holds no decisions yet."""

from __future__ import annotations

import json
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from iwrouting.models import Attempt, Decision, Outcome, Run, RunRaise
from tests.cookbook.fates import Fate, cost, fate, rung_alias, times, used
from tests.cookbook.flows import Call, calls
from tests.cookbook.world import ALIASES, ENVIRONMENT, KEYS, set_up

OPEN = datetime(2026, 11, 20, 16, tzinfo=UTC)
KILLED = datetime(2026, 11, 12, 11, tzinfo=UTC)
ROUTER_US = 900
RAISED = datetime(2026, 11, 13, 22, 50, tzinfo=UTC)


class Story:
    """Collects the rows of the audit. `revisions`: which was in force from when on."""

    def __init__(self, revisions: dict[datetime, int]) -> None:
        self._revisions = revisions
        self._since = sorted(revisions)
        self._numbers = count(1)
        self.decisions: list[Decision] = []
        self.attempts: list[Attempt] = []
        self.outcomes: list[Outcome] = []

    def tell(self, call: Call) -> None:
        """One call with its tries and its end."""
        of = self._decision(call)
        end = fate(call)
        hour = call.at.replace(minute=0, second=0, microsecond=0)
        if hour == OPEN:
            self._attempt(of, call, 0, call.model)
        elif hour == KILLED and call.project == "borealis":
            self._attempt(of, call, 0, call.model)
            self._outcome(of, "interrupted", origin="sweeper", cost_state="unpriced")
        elif end.served:
            self._served(of, call, end)
        else:
            self._unserved(of, call, end)

    def store(self) -> None:
        """Write all of it."""
        Decision.objects.bulk_create(self.decisions, batch_size=500)
        Attempt.objects.bulk_create(self.attempts, batch_size=500)
        Outcome.objects.bulk_create(self.outcomes, batch_size=500)

    def _served(self, of: Decision, call: Call, end: Fate) -> None:
        spent = self._failed(of, call, end)
        tokens = used(call, end.served)
        first, whole = times(call, end.served, tokens["completion_tokens"] or 0)
        pico = cost(call, end.served, tokens)
        state = "unpriced" if pico is None else "estimated" if end.result == "client_closed" else "exact"
        self._attempt(of, call, end.rung, end.served, spent, status=200, first_byte_us=first, end_us=whole)
        self._outcome(
            of,
            end.result,
            **{"status": 200, **end.error},
            **tokens,
            calls=len(end.failed) + 1,
            fallbacks=end.rung,
            model_served=end.served,
            upstream_served=_upstream(end.served),
            endpoint_served=of.endpoint,
            finish_reason="stop" if end.result in ("ok", "ok_after_fallback") else "",
            tokens_source="tiktoken" if state == "estimated" else "provider",
            cost_pico=pico,
            cost_state=state,
            latency_us=spent + whole + ROUTER_US,
            first_byte_us=first if of.is_stream else None,
        )

    def _unserved(self, of: Decision, call: Call, end: Fate) -> None:
        spent = self._failed(of, call, end)
        state = "unpriced" if end.failed else "none"
        rungs = len({rung for rung, *_ in end.failed})
        self._outcome(
            of,
            end.result,
            **end.error,
            calls=len(end.failed),
            fallbacks=max(rungs - 1, 0),
            cost_state=state,
            latency_us=spent + ROUTER_US,
        )

    def _failed(self, of: Decision, call: Call, end: Fate) -> int:
        """Store the tries that failed; the microseconds that they took."""
        spent = 0
        for place, (rung, model, how, ms) in enumerate(end.failed):
            again = sum(1 for each in end.failed[:place] if each[0] == rung)
            self._attempt(of, call, rung, model, spent, **how, end_us=ms * 1000, try_number=again + 1)
            spent += ms * 1000
        return spent

    def _attempt(self, of: Decision, call: Call, rung: int, model: str, spent: int = 0, **values: Any) -> None:
        seq = 1 + sum(1 for each in reversed(self.attempts[-5:]) if each.decision_id == of.id)
        self.attempts.append(
            Attempt(
                **self._row(call.at),
                **{"try_number": 1, **values},
                decision=of,
                seq=seq,
                kind="call",
                rung=rung,
                alias=rung_alias(call, rung) if call.flow.alias else "",
                model=model,
                upstream=_upstream(model),
                endpoint=of.endpoint,
                sent_at=call.at + timedelta(microseconds=spent + ROUTER_US),
            )
        )

    def _outcome(self, of: Decision, result: str, **values: Any) -> None:
        latency = timedelta(microseconds=values.get("latency_us", 60_000_000))
        named = {
            "origin": "server",
            "ended_at": of.decision_at + latency,
            "overhead_us": ROUTER_US + len(self.outcomes),
        }
        self.outcomes.append(Outcome(**self._row(of.decision_at), decision=of, result=result, **{**named, **values}))

    def _row(self, at: datetime) -> dict[str, Any]:
        number = next(self._numbers)
        made = UUID(int=int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number)
        return {"id": made, "decision_at": at, "writer_id": "w-cookbook", "writer_seq": number}

    def _decision(self, call: Call) -> Decision:
        flow = call.flow
        of = Decision(
            **self._row(call.at),
            project=call.project,
            key_id=KEYS[flow.key][0],
            request_id=f"req-{call.number:05}",
            run_id=call.run,
            tags=json.dumps(list(flow.tags), separators=(",", ":")),
            alias=flow.alias,
            kind=ALIASES[flow.alias][0] if flow.alias else "",
            inferred_mode=call.mode,
            reason=call.reason,
            endpoint="embeddings" if flow.alias == "embedding" else "chat",
            is_stream=flow.stream,
            is_test=flow.is_test,
            model_asked=flow.model or flow.alias,
            model_resolved=call.model,
            upstream=_upstream(call.model),
            source=call.source,
            revision=self._revisions[self._since[bisect_right(self._since, call.at) - 1]],
            environment_id=ENVIRONMENT,
            catalogue_version="cookbook",
            rules_version="1",
            app_version="0.1.0",
            estimate_tokens=flow.prompt,
            estimate_source="bytes",
        )
        self.decisions.append(of)
        return of


def tell() -> None:
    """Store the configuration and its history, the calls, and the runs under a budget."""
    story = Story(set_up())
    for call in calls():
        story.tell(call)
    story.store()
    _runs(story)


def _upstream(model: str) -> str:
    return "house" if model == "house-70b" else "openai"


def _runs(story: Story) -> None:
    """What each run of cascade, which has a budget, has used."""
    ends = {each.decision_id: each for each in story.outcomes}
    of_runs: dict[str, list[Decision]] = {}
    for decision in story.decisions:
        if decision.project == "cascade" and decision.run_id:
            of_runs.setdefault(decision.run_id, []).append(decision)
    for run_id, decisions in of_runs.items():
        outcomes = [ends[each.id] for each in decisions]
        run = Run.objects.create(
            project="cascade",
            run_id=run_id,
            used_tokens=sum((each.prompt_tokens or 0) + (each.completion_tokens or 0) for each in outcomes),
            refused_calls=sum(1 for each in outcomes if each.result == "refused"),
            first_seen_at=min(each.decision_at for each in decisions),
            last_seen_at=max(each.decision_at for each in decisions),
        )
        if run.refused_calls:
            _raise(run)


def _raise(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(limit_tokens=300_000)
    RunRaise.objects.create(
        run=run,
        at=RAISED,
        by="cleo",
        via="CLI",
        reason="The import is larger than planned",
        before_tokens=200_000,
        after_tokens=300_000,
    )
