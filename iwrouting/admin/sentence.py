"""A decision in one sentence: who asked for what, what was chosen, what became of each rung, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.types import Result, Source

MOST_FATES = 6
CHOSEN_BY = {
    Source.PROJECT_OVERRIDE: "its override chose",
    Source.OVERRIDE: "the override for all projects chose",
    Source.ENVIRONMENT: "the environment chose",
    Source.DEFAULT: "the default chose",
}
LATER = {
    "responses.get": "looked at a response of",
    "responses.items": "read the input of a response of",
    "responses.cancel": "cancelled a response of",
    "responses.delete": "deleted a response of",
}
USAGE = "responses.usage"


def sentence(decision: Decision, attempts: Sequence[Attempt], outcome: Outcome | None) -> str:
    """The sentence, from stored texts: escape it."""
    parts = [_asked(decision), _chosen(decision), *_fates(decision, attempts, outcome), _end(outcome), _kept(decision)]
    return "; ".join(part for part in parts if part) + "."


def _asked(decision: Decision) -> str:
    who = decision.project or decision.project_external_id or "A caller without project"
    name = decision.model_asked or decision.alias or "no model"
    if decision.endpoint in LATER:
        return f"{who} {LATER[decision.endpoint]} {name}"
    taken = f", taken for {decision.inferred_mode}" if decision.inferred_mode else ""
    by_id = " by its id" if decision.source == Source.EXPLICIT else ""
    return f"{who} asked for {name}{by_id}{taken}"


def _kept(decision: Decision) -> str:
    return "this is the usage of that call in the background, told at its end" if decision.endpoint == USAGE else ""


def _chosen(decision: Decision) -> str:
    by = CHOSEN_BY.get(decision.source)  # type: ignore[call-overload] # a stored text is a Source, or none of them
    return f"{by} {decision.model_resolved}" if by else ""


def _fates(decision: Decision, attempts: Sequence[Attempt], outcome: Outcome | None) -> Iterable[str]:
    said = decision.model_resolved
    failed = [attempt for attempt in attempts if attempt is not _answered(attempts, outcome)]
    groups = [(key, len(list(group))) for key, group in groupby(failed, key=_fate)]
    for (model, fate), times in groups[:MOST_FATES]:
        yield f"{'it' if model == said else model} {fate}" + (f" {times} times" if times > 1 else "")
        said = model
    if len(groups) > MOST_FATES:
        yield f"and {len(groups) - MOST_FATES} more steps"


def _answered(attempts: Sequence[Attempt], outcome: Outcome | None) -> Attempt | None:
    if outcome is None or not outcome.model_served or not attempts:
        return None
    last = attempts[-1]
    return last if last.kind == "call" and not last.error_type and (last.status or 0) < 400 else None


def _fate(attempt: Attempt) -> tuple[str, str]:
    if attempt.kind == "skip":
        return attempt.model, f"was passed over: {attempt.skip_reason}"
    why = attempt.error_code or attempt.error_type
    if attempt.status is not None:
        return attempt.model, f"answered {attempt.status}" + (f" ({why})" if why else "")
    return attempt.model, f"failed ({why})" if why else "was called"


def _left(outcome: Outcome) -> str:
    return "was shut down" if outcome.origin == "server" else "ended, and the sweeper closed it"


def _end(outcome: Outcome | None) -> str:
    if outcome is None:
        return "no outcome yet"
    served, code = outcome.model_served or "the model", outcome.error_code or outcome.error_type
    why = f" ({code})" if code else ""
    words = {
        Result.OK: f"{served} answered",
        Result.OK_AFTER_FALLBACK: f"{served} answered",
        Result.ERROR: f"the caller got an error{why}",
        Result.REFUSED: f"the call was refused{why}",
        Result.TRUNCATED: f"the answer of {served} was cut off{why}",
        Result.CLIENT_CLOSED: "the caller hung up",
        Result.INTERRUPTED: f"it was interrupted: its process {_left(outcome)}",
        Result.RESOLVED: "nothing was called",
    }
    return words.get(outcome.result, outcome.result)  # type: ignore[call-overload,no-any-return] # as above
