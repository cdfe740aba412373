"""What a decision that ended adds to the metrics (docs/metrics.md): numbers and bounded names, never a text."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from iwrouting.audit import LATE_USAGE
from iwrouting.calls.draft import Draft, Ending
from iwrouting.errors import RoutingError
from iwrouting.meters import Meters, names
from iwrouting.types import (
    CALLER_TOO_SLOW,
    SHUTTING_DOWN,
    AttemptRecord,
    Configuration,
    CostState,
    HeldFacts,
    Result,
    Rung,
    Source,
)

log = logging.getLogger(__name__)
CUT = (Result.TRUNCATED, Result.CLIENT_CLOSED, Result.INTERRUPTED)
WELL = (Result.OK, Result.OK_AFTER_FALLBACK)
NO_CALL = (Result.REFUSED, Result.RESOLVED)
OWN_FAILURES = frozenset(
    {"timeout_error", "connection_error", "bad_answer", "configuration_error", "in_band_error", "client_closed"}
    | {CALLER_TOO_SLOW, SHUTTING_DOWN}
)
"""The types of failures that no provider names (upstream/failures.py), and of tries that were cut short."""


def _codes(kind: type[RoutingError]) -> Iterator[str]:
    if kind.code:
        yield kind.code
    for below in kind.__subclasses__():
        yield from _codes(below)


OWN_CODES = frozenset(_codes(RoutingError))
"""The codes of our own errors: a provider's code is any text."""


def count_ended(meters: Meters, draft: Draft, attempts: Iterable[AttemptRecord], ending: Ending) -> None:
    """Count a decision and its tries. Test traffic is not counted. Whatever fails here costs no caller an answer."""
    if draft.caller.is_test:
        return
    try:
        _count(meters, draft, attempts, ending)
    except Exception:
        log.exception("decision %s was not counted", draft.id)


def _count(meters: Meters, draft: Draft, attempts: Iterable[AttemptRecord], ending: Ending) -> None:
    meters.add(names.DECISIONS, (draft.endpoint, ending.result))
    _count_route(meters, draft)
    if ending.result in NO_CALL:
        return
    asked, served = asked_name(draft), served_model(draft.config, ending.rung)
    for attempt in attempts:
        _count_attempt(meters, draft, attempt)
    if ending.fallbacks:
        meters.add(names.FALLBACK_ATTEMPTS, (asked,))
        if ending.result is Result.OK_AFTER_FALLBACK:
            meters.add(names.FALLBACK_SUCCESSES, (asked,))
    if ending.overhead_us is not None and draft.endpoint in names.OPERATIONS:
        meters.observe(names.OVERHEAD, (draft.endpoint,), ending.overhead_us)
    _count_operation(meters, draft, ending, asked, served)
    _count_usage(meters, ending, asked, served)


def _count_route(meters: Meters, draft: Draft) -> None:
    resolution = draft.resolution
    if resolution is None or draft.fetches is not None:
        return
    meters.add(names.ROUTES, (resolution.alias or "", resolution.source))
    if resolution.inference is not None:
        inference = resolution.inference
        meters.add(names.AUTO_ROUTES, (inference.mode, inference.reason.partition(":")[0]))


def _count_operation(meters: Meters, draft: Draft, ending: Ending, asked: str, served: str) -> None:
    if draft.endpoint not in names.OPERATIONS:
        return
    labels = _operation(draft.endpoint, asked, served)
    meters.observe(names.DURATION, (*labels, error_type(ending)), draft.elapsed_us())
    if draft.is_stream and ending.first_byte_us is not None:
        meters.observe(names.FIRST_CHUNK, labels, ending.first_byte_us)
    _count_reported(meters, ending, labels)


def _operation(endpoint: str, asked: str, served: str) -> tuple[str, ...]:
    return names.OPERATIONS[endpoint], names.PROVIDER, asked, served, names.API_TYPES[endpoint]


def _count_reported(meters: Meters, ending: Ending, labels: tuple[str, ...]) -> None:
    """The conventions count what the provider says alone."""
    usage = ending.usage
    if usage is not None and not ending.estimated:
        for kind, tokens in ((names.INPUT, usage.prompt_tokens), (names.OUTPUT, usage.completion_tokens)):
            if tokens is not None:
                meters.observe(names.TOKEN_USAGE, (*labels, kind), tokens)


def count_late_usage(meters: Meters, config: Configuration, held: HeldFacts, ending: Ending) -> None:
    """Count the usage of a call that went on in the background, which a fetch told: a decision of its own."""
    if held.decision.get("is_test"):
        return
    alias, named = str(held.decision.get("alias", "")), str(held.decision.get("model_asked", ""))
    asked = alias or (named if named in config.models else names.OTHER)
    served = served_model(config, ending.rung)
    meters.add(names.DECISIONS, (LATE_USAGE, ending.result))
    _count_reported(meters, ending, _operation("responses", asked, served))
    _count_usage(meters, ending, asked, served)


def _count_usage(meters: Meters, ending: Ending, asked: str, served: str) -> None:
    usage, cost = ending.usage, ending.cost
    if usage is not None:
        for kind, tokens in (
            ("input", usage.prompt_tokens),
            ("cached", usage.cached_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("output", usage.completion_tokens),
            ("reasoning", usage.reasoning_tokens),
        ):
            if tokens:
                meters.add(names.TOKEN_CLASSES, (served, kind, ending.tokens_source), tokens)
    if cost.pico is not None:
        meters.add(names.COST, (asked, served, cost.state), cost.pico)
    elif cost.state is CostState.UNPRICED:
        meters.add(names.UNPRICED, (asked, served))


def _count_attempt(meters: Meters, draft: Draft, attempt: AttemptRecord) -> None:
    chain = draft.resolution.chain if draft.resolution else ()
    rung = next((each for each in chain if each.rung == attempt.rung), None)
    model = served_model(draft.config, rung) if attempt.model else ""
    if attempt.skip_reason:
        labels = (names.SKIPPED, str(attempt.skip_reason))
    elif attempt.failed:
        labels = (names.FAILED, attempt_error(attempt))
    else:
        labels = (names.ANSWERED, "")
    meters.add(names.ATTEMPTS, (attempt.upstream, model, *labels))


def asked_name(draft: Draft) -> str:
    """What was asked for: an alias or a model of the configuration, or `other`."""
    resolution, config = draft.resolution, draft.config
    if resolution is not None and resolution.alias:
        return resolution.alias
    return draft.asked if draft.asked in config.models or draft.asked in config.aliases else names.OTHER


def served_model(config: Configuration, rung: Rung | None) -> str:
    """The model of a rung; `other` for one that only the caller named; empty where nothing served."""
    if rung is None or not rung.model:
        return ""
    return rung.model if rung.source is not Source.EXPLICIT or rung.model in config.models else names.OTHER


def error_type(ending: Ending) -> str:
    """The conventions' `error.type`, from a closed list: empty, how it was cut, a code of ours, or the status."""
    if ending.result in WELL:
        return ""
    if ending.result in CUT:
        return ending.result.value
    return ending.error_code if ending.error_code in OWN_CODES else _status(ending.status)


def attempt_error(attempt: AttemptRecord) -> str:
    """Why a try failed, from a closed list: the provider's status, or the type of a failure that has none."""
    if attempt.status is None or attempt.status < 400:
        return attempt.error_type if attempt.error_type in OWN_FAILURES else names.UNNAMED_ERROR
    return _status(attempt.status)


def _status(status: int | None) -> str:
    return str(status) if status is not None and 400 <= status <= 599 else names.UNNAMED_ERROR
