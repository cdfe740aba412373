"""What a call may cost in tokens: caps on its input, windows of its rungs, the budget of its run (docs/tokens.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from iwrouting.calls.budget import asked_output, plan, run_limit
from iwrouting.calls.draft import Draft
from iwrouting.calls.service import Service
from iwrouting.conf import Settings
from iwrouting.errors import BadRequest, Unavailable
from iwrouting.resolver import facts_of
from iwrouting.tokens import Count, TokenizersMissing, estimate
from iwrouting.types import Configuration, Endpoint, ModelFacts, Resolution, Rung, Skip

Counter = Callable[[str], Count]
"""Counts a request's input for a model. Takes long for long input: never on the event loop."""

COUNTERS = ThreadPoolExecutor(2, "iw-tokens")
"""Threads of their own: long inputs wait for each other, and hold up nothing else that needs a thread."""

MARGIN = 1.05
"""A rung is passed over only where the count exceeds its window by more: counts are right to a few percent."""

INPUT = {Endpoint.CHAT: "messages", Endpoint.RESPONSES: "input", Endpoint.EMBEDDINGS: "input"}


@dataclass(frozen=True, slots=True)
class Cap:
    """The most tokens of input in one call, and the setting that says so."""

    tokens: int
    origin: str


def has_limits(config: Configuration, conf: Settings) -> bool:
    """Whether any limit on tokens is set, so that calls are counted before they are sent."""
    set_here = conf.max_context_tokens_per_call or conf.autopilot_max_tokens_per_run
    of_projects = (each.max_context_tokens or each.max_run_tokens for each in config.projects.values())
    return bool(set_here or any(of_projects) or any(alias.max_context_tokens for alias in config.aliases.values()))


async def keep_limits(
    service: Service, draft: Draft, resolution: Resolution, body: Mapping[str, Any], counter: Counter
) -> Resolution:
    """The resolution without the rungs whose window is too small for the input.

    Counts only where a cap is set, the run has a budget, or the estimate passes half of a window; the count then stands
    on the decision, and with a budget what the decision is to reserve. Raises BadRequest for input over the cap, or
    over every window.
    """
    cap = cap_of(draft, resolution, service.conf)
    limit = run_limit(draft, service.conf)
    if cap is None and limit is None and not _near_a_window(draft, resolution):
        return resolution
    draft.count = count = await count_input(counter, resolution)
    if cap is not None and count.total > cap.tokens:
        raise BadRequest(
            f"{_input(draft)}: {count.total} tokens; {cap.origin} allows {cap.tokens} in one call. "
            "Shorten it, or ask an operator to raise the limit.",
            param=_input(draft),
            code="max_context_tokens_exceeded",
        )
    draft.resolution = resolution = _within_windows(draft, resolution, count, asked_output(body))
    if limit is not None:
        draft.purse = plan(draft, resolution, body, count, limit, service.conf)
    return resolution


async def count_input(counter: Counter, resolution: Resolution) -> Count:
    """The input's tokens for the first model that may serve, counted in a thread. Raises Unavailable."""
    served = next((rung for rung in resolution.chain if rung.skip is None), resolution.chain[0])
    try:
        return await asyncio.get_running_loop().run_in_executor(COUNTERS, counter, served.model or "")
    except TokenizersMissing:
        raise Unavailable("The tokens of the request can't be counted.", code="tokenizers_missing") from None


def cap_of(draft: Draft, resolution: Resolution, conf: Settings) -> Cap | None:
    """The smallest cap that is set: of the deployment, of the project, of the alias and of the mode it is taken for."""
    found = list(_caps(draft, resolution, conf))
    return min(found, key=lambda cap: cap.tokens) if found else None


def _caps(draft: Draft, resolution: Resolution, conf: Settings) -> Iterator[Cap]:
    if conf.max_context_tokens_per_call is not None:
        yield Cap(conf.max_context_tokens_per_call, "MAX_CONTEXT_TOKENS_PER_CALL")
    project = draft.config.projects.get(draft.caller.project or "")
    if project is not None and project.max_context_tokens is not None:
        yield Cap(project.max_context_tokens, f"the project '{project.slug}'")
    inference = resolution.inference
    for name in (resolution.alias, inference.mode if inference else None):
        alias = draft.config.aliases.get(name or "")
        if alias is not None and alias.max_context_tokens is not None:
            yield Cap(alias.max_context_tokens, f"the alias '{alias.name}'")


def _near_a_window(draft: Draft, resolution: Resolution) -> bool:
    if draft.endpoint == Endpoint.EMBEDDINGS:
        return False
    windows = (_facts(draft, rung).input_window for rung in resolution.chain if rung.skip is None)
    smallest = min((window for window in windows if window is not None), default=None)
    return smallest is not None and 2 * estimate(draft.size) > smallest


def _within_windows(draft: Draft, resolution: Resolution, count: Count, output: int | None) -> Resolution:
    """With `window` on the rungs that are surely too small. Raises BadRequest where that leaves none."""
    if draft.endpoint == Endpoint.EMBEDDINGS:
        return resolution
    windows = {rung.rung: window(_facts(draft, rung), output) for rung in resolution.chain if rung.skip is None}
    small = {rung: most for rung, most in windows.items() if most is not None and count.tokens > most * MARGIN}
    if not small:
        return resolution
    chain = tuple(replace(rung, skip=Skip.WINDOW) if rung.rung in small else rung for rung in resolution.chain)
    if len(small) == len(windows):
        draft.resolution = replace(resolution, chain=chain)
        best = max(small, key=lambda rung: small[rung])
        raise BadRequest(
            f"{_input(draft)}: {count.tokens} tokens; the largest window of '{resolution.asked[:80]}' is {small[best]} "
            f"({chain[best].model}). Shorten it.",
            param=_input(draft),
            code="context_length_exceeded",
        )
    return replace(resolution, chain=chain)


def window(facts: ModelFacts, output: int | None) -> int | None:
    """The most input of a model in tokens: as catalogued, else what its context leaves beside the output asked for."""
    if facts.max_input is not None or facts.context_window is None:
        return facts.max_input
    return max(0, facts.context_window - min(output or 0, facts.max_output or output or 0))


def _facts(draft: Draft, rung: Rung) -> ModelFacts:
    return facts_of(draft.config, rung.model or "")


def _input(draft: Draft) -> str:
    return INPUT[Endpoint(draft.endpoint)]
