"""Why the provider's sum of a day and model may differ from ours, told from our own rows. Pure.

Each try of a call gives at most one reason, and a call that was counted at most one: nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from iwrouting.reports.reconcile.lines import Call, Decided, Ended, Tried
from iwrouting.reports.reconcile.provider import LINKED, SERVED, WITH_USAGE

LOST = ("truncated", "client_closed", "interrupted")
"""Results of calls that may have been answered, or gone on being answered, after their usage was out of reach."""

THEIRS = {
    "truncated": "the stream broke before its usage came: the provider counts what it made",
    "client_closed": "the caller left before the usage came: the provider counts what it made",
    "interrupted": "the call was cut off on our side before the usage came: the provider counts what it made",
    "open": "no outcome of ours yet: the provider may have counted it already",
    "estimated": "the answer came without usage: our count is an estimate, and is left out",
    "unanswered": "a try that got no answer: the provider may have done the work all the same",
    "discarded": "a try that was answered and could not be passed on, so that its usage is on no outcome",
    "began_earlier": "made the day before and ended on this one, where the provider may count it",
    "foreign": "more requests than we sent: somebody else's on this account, or past this service",
    "only_theirs": "no call of ours went to this model that day: somebody else's use of the account",
    "unpriced": "a call whose model had no price when it was made: its cost is in no sum of ours",
}
"""Reasons for which the provider has more."""

OURS = {
    "test": "test traffic, which an export of another key or project does not have",
    "ends_later": "made on this day and ended on a later one, where the provider may count it",
    "only_ours": "the provider tells nothing of this model that day: pages are missing, or it was another account",
}
"""Reasons for which we have more."""

EITHER = {
    "cached": "the provider counts other tokens as cached, which are cheaper",
    "estimated_cost": "our cost is an estimate, made of estimated tokens or without an exact price",
}
"""Reasons that may go either way."""

MEANINGS = {**THEIRS, **OURS, **EITHER}


@dataclass(slots=True)
class Tally:
    """How many calls or tries, and what we know or estimate of their tokens and cost."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cost_pico: int = 0

    def add(self, other: Tally) -> None:
        """And these too."""
        self.calls += other.calls
        self.prompt += other.prompt
        self.completion += other.completion
        self.cost_pico += other.cost_pico

    def without(self, other: Tally) -> Tally:
        """These without those."""
        prompt, completion = self.prompt - other.prompt, self.completion - other.completion
        return Tally(self.calls - other.calls, prompt, completion, self.cost_pico - other.cost_pico)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and the model whose sum it is about."""

    code: str
    model: str
    tally: Tally


def sent(call: Call, upstreams: Collection[str]) -> list[Tried]:
    """The tries that went to these upstreams; to any where none is named."""
    return [tried for tried in call.tried if tried.kind == "call" and (not upstreams or tried.upstream in upstreams)]


def is_unknown(call: Call) -> bool:
    """Whether a process died under a call, or it goes on: what it sent is not known."""
    return call.outcome is None or (call.outcome.origin != "server" and not call.tried)


def served_by(call: Call, upstreams: Collection[str]) -> bool:
    """Whether what a call used was used at one of these upstreams, as far as is known; any where none is named."""
    if call.decided[0].endpoint not in (*WITH_USAGE, LINKED):
        return False  # Of a stored response: its usage was another call's.
    tries = sent(call, ())
    served = call.outcome.upstream if call.outcome else ""
    last = tries[-1].upstream if tries else call.decided[0].upstream if is_unknown(call) else ""
    known = served or last
    return bool(known) and (not upstreams or known in upstreams)


def token_reasons(call: Call, upstreams: Collection[str], *, is_later: bool) -> Iterator[Reason]:
    """Why tokens of a call may stand in one ledger alone. `is_later`: it ended on a later day than it was made."""
    tries, estimate = sent(call, upstreams), call.decided[0].estimate or 0
    found = _of_call(call, tries, is_later=is_later) if served_by(call, upstreams) else None
    if found is not None:
        yield found
    if found is not None and found.code in LOST:
        tries = tries[:-1]
    for tried in tries:
        if tried.status is None:
            yield Reason("unanswered", tried.model, Tally(1, estimate))
        elif tried.status < 300 and tried.error_type:
            yield Reason("discarded", tried.model, Tally(1, estimate))


def cost_reason(call: Call, upstreams: Collection[str], *, is_later: bool) -> Reason | None:
    """Why the cost of a call may stand in one ledger alone, or differ."""
    outcome = call.outcome
    if not served_by(call, upstreams):
        return None
    if outcome is not None and outcome.cost_state == "estimated":
        return Reason("estimated_cost", "", _known(outcome, 0))
    if outcome is not None and outcome.cost_state == "unpriced":
        return Reason("unpriced", "", _known(outcome, 0))
    return _of_call(call, sent(call, upstreams), is_later=is_later)


def _of_call(call: Call, tries: list[Tried], *, is_later: bool) -> Reason | None:
    decided, outcome = call.decided[0], call.outcome
    last, estimate = tries[-1].model if tries else decided.resolved, decided.estimate or 0
    if outcome is None:
        return Reason("open", last, Tally(1, estimate))
    if outcome.counted == "provider" and outcome.model:
        return _of_counted(decided, outcome, is_later=is_later)
    if outcome.result in LOST:
        return Reason(outcome.result, outcome.model or last, _known(outcome, estimate))
    if outcome.result in SERVED and tries and decided.endpoint != LINKED:
        return Reason("estimated", outcome.model or last, _known(outcome, estimate))
    return None


def _of_counted(decided: Decided, outcome: Ended, *, is_later: bool) -> Reason | None:
    code = "test" if decided.test else "ends_later" if is_later else ""
    return Reason(code, outcome.model, _known(outcome, 0)) if code else None


def _known(outcome: Ended, estimate: int) -> Tally:
    prompt = estimate if outcome.prompt is None else outcome.prompt
    return Tally(1, prompt, outcome.completion or 0, outcome.cost_pico or 0)
