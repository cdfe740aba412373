"""The budget of a run: what a call sets aside with its decision and settles with its outcome (docs/tokens.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from iwrouting.audit import Reserve, Settle, Verdict
from iwrouting.calls.deciding import allowed_s
from iwrouting.calls.draft import Draft
from iwrouting.calls.purse import Purse
from iwrouting.conf import Settings
from iwrouting.errors import Forbidden
from iwrouting.resolver import facts_of
from iwrouting.tokens import Count
from iwrouting.types import AttemptRecord, Endpoint, Resolution, Usage

LEAST_OUTPUT = 16
"""The smallest limit on output that every API takes: with less left a run can make no call."""

MARGIN_SHARE, MARGIN_LEAST = 20, 16
"""Set aside beside the counted input: a twentieth of it, at least 16 tokens."""

AFTER_S = 60.0
"""By so much a reservation outlives the latest end of its call: the deadline, and for a stream its own total time."""

OUTPUT_CAPS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
NOT_BILLED = frozenset({"connect_failed", "connect_timeout"})
"""Errors of a try that never reached the provider."""


NOTHING_LEFT = Verdict(None)


def run_limit(draft: Draft, conf: Settings) -> int | None:
    """The tokens that the caller's run may take: its project's limit, else the deployment's; None: no budget."""
    if not draft.caller.run_id:
        return None
    project = draft.config.projects.get(draft.caller.project or "")
    own = project.max_run_tokens if project is not None else None
    return conf.autopilot_max_tokens_per_run if own is None else own


def plan(
    draft: Draft, resolution: Resolution, body: Mapping[str, Any], count: Count, limit: int, conf: Settings
) -> Purse:
    """What a call asks its run's budget for: its counted input with a margin, and the output of each choice.

    The output is what the caller limits it to; else the most that any candidate gives, within
    IW_RUN_OUTPUT_RESERVE_TOKENS, or what the run has left.
    """
    prompt = count.total + max(MARGIN_LEAST, count.total // MARGIN_SHARE)
    choices = body["n"] if draft.endpoint == Endpoint.CHAT and type(body.get("n")) is int else 1
    least, wanted = _outputs(draft, resolution, body, conf)
    seconds = allowed_s(draft, resolution, conf)[0] + AFTER_S + (conf.stream_total_s if draft.is_stream else 0)
    reserve = Reserve(
        key=(draft.caller.project_text, draft.caller.run_id),
        decision_id=draft.id,
        least=prompt + choices * least,
        wanted=prompt + choices * wanted,
        limit=limit,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
    )
    return Purse(reserve, prompt, choices)


def _outputs(draft: Draft, resolution: Resolution, body: Mapping[str, Any], conf: Settings) -> tuple[int, int]:
    """Tokens of output for one choice: the least with which the call is sent, and what is wanted."""
    if draft.endpoint == Endpoint.EMBEDDINGS:
        return 0, 0
    rungs = (rung.model or "" for rung in resolution.chain if rung.skip is None)
    most = [facts_of(draft.config, model).max_output for model in rungs]
    known = [each for each in most if each is not None]
    asked = asked_output(body)
    if asked is None:
        reserve = conf.run_output_reserve_tokens
        return LEAST_OUTPUT, max(LEAST_OUTPUT, min(reserve, max(known, default=reserve)))
    capped = min(asked, max(known)) if known and len(known) == len(most) else asked
    return max(LEAST_OUTPUT, capped), max(LEAST_OUTPUT, capped)


def asked_output(body: Mapping[str, Any]) -> int | None:
    """The most tokens of output that a request asks for, by the largest of its fields; None where it names none."""
    caps = [body[name] for name in OUTPUT_CAPS if type(body.get(name)) is int and body[name] > 0]
    return max(caps, default=None)


def refusal(purse: Purse, verdict: Verdict) -> Forbidden:
    """What the caller of a call over its run's budget is told.

    403 and not 429: no client repeats it by itself, and only an operator can change the answer.
    """
    project, run = purse.reserve.key
    return Forbidden(
        f"The run '{run}' may take {verdict.limit} tokens: {verdict.used} are used, {verdict.reserved} are reserved by "
        f"calls that have not ended, and this call needs {purse.reserve.least}. An operator can raise the limit of "
        f"this run: in the admin under Runs, or with 'manage.py run_raise {run} --project {project} --by TOKENS "
        "--reason TEXT'.",
        code="run_budget_exceeded",
        should_retry=False,
    )


def settlement(purse: Purse, attempts: Sequence[AttemptRecord], usage: Usage | None) -> Settle:
    """What a call took: its reported usage; nothing if no try can have been billed; else all that it had reserved,
    which holds also where one try was answered and an earlier one may have been billed beside it."""
    reserve = purse.reserve
    return Settle(reserve.key, reserve.decision_id, _taken(purse.granted or 0, attempts, usage))


def _taken(granted: int, attempts: Sequence[AttemptRecord], usage: Usage | None) -> int:
    reported = None
    if usage is not None and usage.prompt_tokens is not None:
        reported = usage.prompt_tokens + (usage.completion_tokens or 0)
        attempts = [attempt for attempt in attempts if attempt.failed]
    if any(map(_maybe_billed, attempts)):
        return max(granted, reported or 0)
    return reported or 0


def _maybe_billed(attempt: AttemptRecord) -> bool:
    if attempt.sent_at is None or attempt.error_code in NOT_BILLED:
        return False
    return attempt.status is None or attempt.status < 400
