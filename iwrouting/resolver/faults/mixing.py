"""Findings on what the rungs of a chain can do: a fallback that can't take what the primary takes (faults.md F5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.resolver.chain import facts_of
from iwrouting.resolver.faults.places import Named, effective_overrides, named_models, named_override
from iwrouting.resolver.ladder import climb
from iwrouting.types import FUNCTION_TOOLS, AliasFacts, Configuration, Endpoint, Kind, ModelFacts
from iwrouting.types.faults import Finding, ObjectType

IMAGE = "image"


def mixing(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Every chain whose later rungs take less than its primary: an alias's own, and those behind its overrides."""
    for alias in config.aliases.values():
        if alias.kind is not Kind.EMBEDDING and alias.chain:
            own = Named(ObjectType.ALIAS, alias.name, "chain", alias, _below_overrides(config, alias), "")
            yield from _mixed(config, own, None, now)
    for override, alias in effective_overrides(config, now):
        if alias.kind is not Kind.EMBEDDING and alias.chain:
            yield from _mixed(config, named_override(override, alias), override.project, now)


def _below_overrides(config: Configuration, alias: AliasFacts) -> str:
    value = config.environment.values.get(alias.variable, "").strip()
    return value or alias.default_model.strip()


def _mixed(config: Configuration, named: Named, project: str | None, now: datetime) -> Iterator[Finding]:
    first = facts_of(config, named.model)
    rest = list(_rungs(config, named.alias, project, now))
    for code, lacks, words in ABILITIES:
        weaker = ", ".join(dict.fromkeys(each.id for each in rest if lacks(first, each)))
        if weaker:
            text = (
                f"{weaker} in the chain of {named.alias.name} {words} that its primary {first.id} takes: such calls "
                "pass over that rung. Reorder the chain, or acknowledge it."
            )
            yield replace(named.tell(Finding, code, text), subject=weaker)


def _rungs(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> Iterator[ModelFacts]:
    """The facts of the rungs after the primary, as a project sees them; of those that have a model."""
    for name in alias.chain:
        rung = config.aliases.get(name)
        try:
            yield facts_of(config, climb(config, rung, project, now)[1] if rung else name)
        except Unavailable:
            continue


def _lacks_tools(first: ModelFacts, other: ModelFacts) -> bool:
    return FUNCTION_TOOLS in other.refused_params and FUNCTION_TOOLS not in first.refused_params


def _lacks_hosted(first: ModelFacts, other: ModelFacts) -> bool:
    return bool(first.hosted_tools and other.hosted_tools is not None and first.hosted_tools - other.hosted_tools)


def _lacks_vision(first: ModelFacts, other: ModelFacts) -> bool:
    return IMAGE in first.input_modalities and bool(other.input_modalities) and IMAGE not in other.input_modalities


def _lacks_window(first: ModelFacts, other: ModelFacts) -> bool:
    wide, narrow = first.input_window, other.input_window
    return wide is not None and narrow is not None and narrow < wide


ABILITIES = (
    ("chain_mixes_tools", _lacks_tools, "takes no function tools"),
    ("chain_mixes_hosted_tools", _lacks_hosted, "lacks hosted tools"),
    ("chain_mixes_vision", _lacks_vision, "reads no images"),
    ("chain_mixes_windows", _lacks_window, "takes fewer tokens of input than those"),
)


def translated(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Responses-only models that serve chats, where they refuse parameters of a chat (faults.md F3)."""
    for named in named_models(config, now):
        facts = config.models.get(named.model)
        if facts is None or named.alias.kind is Kind.EMBEDDING or not facts.refused_params:
            continue
        if facts.served_at(Endpoint.CHAT.value) is Endpoint.RESPONSES:
            refused = ", ".join(sorted(facts.refused_params))
            text = (
                f"{facts.id} is served at responses alone: chats are translated for it, and lose what it refuses "
                f"({refused}). Callers are told in x-iw-changes."
            )
            yield named.tell(Finding, "responses_only", text)
