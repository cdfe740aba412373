"""Conflicts, missing prices and assumptions in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from iwrouting.planning.whatif.judging import REFUSED, Problem
from iwrouting.resolver import facts_of
from iwrouting.types import Configuration

CONFLICTS = {
    "window": "The prompt, or prompt and answer together, are more than {model} takes: the next rung would be tried.",
    "output": "The recorded answer is longer than {model} can write: it would be cut.",
    "endpoint": "{model} is not served where these calls came, not even translated: it would be passed over.",
    "translated": "{model} serves these calls through another API only: they would be translated.",
    "tools": "{model} takes no function tools, and these calls used some.",
    "images": "{model} reads no images, and these calls had some.",
    "not_allowed": "{model} is not granted to the keys of these calls: it would be passed over.",
    "disabled": "{model} or its upstream is disabled: it would be passed over.",
    "retired": "{model} was shut down on {shutdown}.",
    "retiring": "{model} will be shut down on {shutdown}.",
    "unverified": "{model} is not in the catalogue: nothing is known of its windows, endpoints and tools.",
    "vector_space": "{model} makes other vectors, or nobody knows: stored vectors would no longer match new ones.",
}
REFUSALS = {
    "project_disabled": "The project would be disabled: its calls would be refused.",
    "key": "The key would be gone, revoked or without the scope call: its calls would be refused.",
    "unknown_name": "The name would mean nothing, or not be granted to the key: the calls would get a 404.",
    "no_model": "The alias would have no model: the calls would get a 503.",
    "kind": "The alias would be of another kind: the calls would get a 400.",
    "token_cap": "The prompt is over the cap on tokens: the calls would get a 400.",
    "no_rung": "No rung of the chain could serve: the calls would fail.",
}
UNPRICED = {
    "no_usage": "no tokens are recorded, as the call failed, is still open or was told of later",
    "uncovered": "the provider's own tools or other classes of tokens were used, which no token price covers",
    "implausible": "the recorded counts contradict each other",
    "tier_unknown": "the call was served in a tier that is not recorded",
    "no_price": "the model has no price in the call's tier at the call's time",
    "class_without_price": "a class of tokens was used that has no price there, or the cost is beyond all bounds",
}
ALWAYS = (
    "The change counts as in force during the whole window: the schedule of the overrides that it adds or changes is "
    "left out of account. All others are as they were at each call's time.",
    "Tokens are those of the records: another model would count and answer with others.",
    "The first rung that can serve is taken to answer: failures, breakers and fallbacks are not replayed.",
    "Calls that keep their model keep their recorded cost, also where the change changes prices.",
    "Parameters, tools that were offered and not used, and images outside of auto are not recorded, so that conflicts "
    "over them are not seen.",
)


def conflict_text(problem: Problem, config: Configuration) -> str:
    """What a conflict means."""
    kind, model = problem
    if kind == REFUSED:
        return REFUSALS[model]
    shutdown: date | None = facts_of(config, model).shutdown_date
    return CONFLICTS[kind].format(model=model, shutdown=shutdown)


def unpriced_text(model: str, reason: str) -> str:
    """Why a cost is not known."""
    return f"Not priced at {model}: {UNPRICED[reason]}."


def assumptions(drifted: int, without_mode: int) -> Iterator[str]:
    """What the answer takes for granted."""
    yield from ALWAYS
    if drifted:
        yield (
            "Decided under another configuration than the present one, which says another model than the record: "
            f"changed calls ({drifted}). Their cost before is that of the record."
        )
    if without_mode:
        yield f"Taken for auto itself, as the record has no mode: calls for auto ({without_mode})."
