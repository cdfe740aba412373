"""The parameter rules: what a rung's model needs changed in the caller's request (openai-facts.md 1c). Pure.

Three rules, because ordinary clients send these to every model behind an alias: `max_tokens` is renamed where
the model wants `max_completion_tokens`, sampling parameters are dropped where the model refuses them, and
nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iwrouting.types import Endpoint, ModelFacts, Sampling

WITH_EFFORT_NONE = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
"""Sampling parameters that a reasoning model takes while its effort is none."""

SAMPLING = WITH_EFFORT_NONE | {"presence_penalty", "frequency_penalty", "logit_bias"}

OLD_CAP = "max_tokens"
NEW_CAP = "max_completion_tokens"


def adapt(body: Mapping[str, Any], facts: ModelFacts, endpoint: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The request for one rung, made from the original one, and the changes as `x-iw-changes` tells them."""
    adapted = {**body, "model": facts.id}
    if endpoint != Endpoint.CHAT:
        return adapted, ()
    changes = [f"dropped {name}" for name in _refused(body, facts)]
    for change in changes:
        del adapted[change.removeprefix("dropped ")]
    if facts.completion_cap_param == NEW_CAP and OLD_CAP in adapted:
        changes.append(_rename_cap(adapted))
    return adapted, tuple(changes)


def _refused(body: Mapping[str, Any], facts: ModelFacts) -> list[str]:
    if facts.sampling is Sampling.ANY:
        return []
    keeps: frozenset[str] = frozenset()
    if facts.sampling is Sampling.EFFORT_NONE and (body.get("reasoning_effort") or facts.default_effort) == "none":
        keeps = WITH_EFFORT_NONE
    return [name for name in body if name in SAMPLING and name not in keeps]


def _rename_cap(adapted: dict[str, Any]) -> str:
    cap = adapted.pop(OLD_CAP)
    if adapted.get(NEW_CAP) is not None:
        return f"dropped {OLD_CAP}"
    adapted[NEW_CAP] = cap
    return f"renamed {OLD_CAP} to {NEW_CAP}"
