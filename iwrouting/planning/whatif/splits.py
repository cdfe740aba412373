"""Where calls must be told apart, so that all calls of a group meet the same limits and the same price. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from iwrouting.planning.whatif.touched import touched_names
from iwrouting.resolver import facts_of
from iwrouting.types import FUNCTION_TOOLS, Configuration, KeyFacts, ModelFacts

IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Splits:
    """What matters of a call beside its name and project.

    Limits on tokens, ascending; calls up to a limit and over it go to different groups: `input` of the prompt, `whole`
    of prompt and answer together, `output` of the answer. `keys`: the ids of those with which another answer is
    possible than without; all others are alike. `tools` and `images`: whether some model takes no functions, no images.
    `names`: what was asked for by the calls that the change can touch; None: any name.
    `projects`: whose calls are read; None: all.
    """

    input: tuple[int, ...]
    whole: tuple[int, ...]
    output: tuple[int, ...]
    keys: tuple[str, ...]
    tools: bool
    images: bool
    names: tuple[str, ...] | None
    projects: tuple[str, ...] | None = None


def splits(before: Configuration, after: Configuration, projects: Collection[str] | None = None) -> Splits:
    """What matters of calls, of these projects or of all, under either configuration."""
    names = touched_names(before, after)
    asked = {*before.models, *after.models} if names is None else {*names}
    models = {*_named(before), *_named(after), *asked}
    facts = [facts_of(config, model) for config in (before, after) for model in models]
    caps = [each.max_context_tokens for config in (before, after) for each in config.projects.values()]
    caps += [each.max_context_tokens for config in (before, after) for each in config.aliases.values()]
    prices = (each for config in (before, after) for rows in config.prices.values() for each in rows)
    return Splits(
        input=_ascending([each.max_input for each in facts], caps, [each.above_input_tokens for each in prices]),
        whole=_ascending([each.context_window for each in facts]),
        output=_ascending([each.max_output for each in facts]),
        keys=tuple(sorted(_keys(before, after))),
        tools=any(refuses_tools(each) for each in facts),
        images=any(refuses_images(each) for each in facts),
        names=names,
        projects=None if projects is None else tuple(sorted(projects)),
    )


def refuses_tools(facts: ModelFacts) -> bool:
    """Whether it surely takes no functions."""
    return FUNCTION_TOOLS in facts.refused_params


def refuses_images(facts: ModelFacts) -> bool:
    """Whether it surely reads no images."""
    return bool(facts.input_modalities) and IMAGE not in facts.input_modalities


def _ascending(*limits: list[int | None] | list[int]) -> tuple[int, ...]:
    return tuple(sorted({limit for each in limits for limit in each if limit}))


def _named(config: Configuration) -> Iterator[str]:
    for alias in config.aliases.values():
        yield alias.default_model.strip()
        yield config.environment.values.get(alias.variable, "").strip()
        yield from (name for name in alias.chain if name not in config.aliases)
    yield from (row.model.strip() for row in config.overrides.values())


def _keys(before: Configuration, after: Configuration) -> Iterator[str]:
    """Keys with a list of their own, and those that the change would change."""
    for sha256 in before.keys.keys() | after.keys.keys():
        old, new = before.keys.get(sha256), after.keys.get(sha256)
        yield from (key.key_id for key in (old, new) if key is not None and (old != new or _listed(key)))


def _listed(key: KeyFacts) -> bool:
    return key.allowed_aliases is not None or key.allowed_models is not None
