"""The rules that chat and responses share: reasoning effort, refused parameters, sampling, the cap on output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iwrouting.types import EFFORTS, ModelFacts, Sampling
from iwrouting.upstream.params.draft import Draft

WITH_EFFORT_NONE = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
"""Sampling parameters that a reasoning model takes while its effort is none."""

SAMPLING = WITH_EFFORT_NONE | {"presence_penalty", "frequency_penalty", "logit_bias"}


@dataclass(frozen=True, slots=True)
class Words:
    """How an endpoint calls what the rules speak of. `places`: chat names that stand elsewhere here."""

    effort: str
    caps: tuple[str, ...]
    min_output: int | None = None
    places: Mapping[str, str] = field(default_factory=dict)


def fit_effort(draft: Draft, facts: ModelFacts, words: Words) -> None:
    """Map an effort that the model does not take to the nearest one that it takes; of two, the lower one.

    Null is dropped: gpt-5.1 refuses it. A model that does not reason, or whose efforts nobody knows, is not judged
    here, and neither is a word that is no effort: the provider says that best.
    """
    if not facts.reasoning or not draft.has(words.effort):
        return
    asked = draft.get(words.effort)
    if asked is None:
        draft.drop(words.effort)
    elif facts.efforts and asked not in facts.efforts and isinstance(asked, str) and asked in EFFORTS:
        draft.put(words.effort, nearest_effort(asked, facts.efforts))


def nearest_effort(asked: str, taken: tuple[str, ...]) -> str:
    """The effort among `taken` that is nearest to `asked`; of two, the lower one, which costs less."""
    rank = EFFORTS.index
    return min(taken, key=lambda effort: (abs(rank(effort) - rank(asked)), rank(effort)))


def drop_refused(draft: Draft, facts: ModelFacts, words: Words) -> None:
    """Drop what the model refuses at the effort that is now in force, in the caller's order."""
    places = {words.places.get(name, name) for name in refused(draft, facts, words)}
    for path in _given(draft.body):
        if path in places:
            draft.drop(path)


def _given(body: Mapping[str, Any]) -> list[str]:
    paths = []
    for name, value in body.items():
        paths.append(name)
        if isinstance(value, dict):
            paths += [f"{name}.{inner}" for inner in value]
    return paths


def refused(draft: Draft, facts: ModelFacts, words: Words) -> set[str]:
    """The chat names of what the model refuses at the effort that is now in force."""
    names = set(facts.refused_params)
    if not facts.reasoning:
        names |= {"reasoning_effort", "reasoning_summary"}
    if facts.sampling is not Sampling.ANY:
        names |= SAMPLING - (WITH_EFFORT_NONE if samples(facts, draft.get(words.effort)) else frozenset())
    return names


def samples(facts: ModelFacts, effort: Any) -> bool:
    """Whether the model takes temperature and the like at this effort; None: its default one."""
    if facts.sampling is Sampling.EFFORT_NONE:
        return bool((effort or facts.default_effort) == "none")
    return facts.sampling is Sampling.ANY


def clamp_output(draft: Draft, facts: ModelFacts, words: Words) -> None:
    """Bring the cap on output within what the model can write: it could write no more, so nothing is lost."""
    for name in words.caps:
        cap = draft.get(name)
        if type(cap) is not int:
            continue
        if facts.max_output is not None and cap > facts.max_output:
            draft.clamp(name, facts.max_output)
        elif words.min_output is not None and 0 < cap < words.min_output:
            draft.clamp(name, words.min_output)
