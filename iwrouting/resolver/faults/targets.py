"""Structural faults of what serves: models of the wrong kind, switched off, or behind an unknown upstream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from iwrouting.resolver.faults.places import Named, named_models
from iwrouting.types import Configuration, Endpoint, Kind, ModelFacts
from iwrouting.types.faults import Fault, ObjectType

SWITCHED_OFF = "model_disabled"
"""The one fault that a kill switch brings: it refuses only whoever names the model anew."""


def target_faults(config: Configuration, now: datetime) -> Iterator[Fault]:
    """The faults of every model that a default, a rung or an override names, and of the models themselves."""
    for named in named_models(config, now):
        facts = config.models.get(named.model)
        if facts is not None:
            yield from _named_faults(config, named, facts)
    for facts in config.models.values():
        if facts.upstream and facts.upstream not in config.upstreams:
            text = f"The upstream {facts.upstream} of {facts.id} does not exist: add it, or choose another."
            yield Fault("upstream_unknown", ObjectType.MODEL, facts.id, text, "upstream", facts.upstream)


def _named_faults(config: Configuration, named: Named, facts: ModelFacts) -> Iterator[Fault]:
    if words := unfit(named.alias.kind, facts):
        yield named.tell(Fault, "wrong_kind", words)
    if words := switched_off(config, facts):
        text = f"{words}, and is named as {named.place}: name another, or enable it first."
        yield named.tell(Fault, SWITCHED_OFF, text)


def unfit(kind: Kind, facts: ModelFacts) -> str:
    """Why a model can't do an alias's work, or an empty text."""
    if kind is Kind.EMBEDDING:
        if Endpoint.EMBEDDINGS in facts.endpoints:
            return ""
        return f"{facts.id} makes no embeddings: choose a model with the endpoint embeddings."
    if facts.served_at(Endpoint.CHAT.value) is not None:
        return ""
    return f"{facts.id} makes embeddings only: choose a model with the endpoint chat or responses."


def switched_off(config: Configuration, facts: ModelFacts) -> str:
    """Which switch keeps calls from a model, or an empty text."""
    if not facts.enabled:
        return f"{facts.id} is switched off"
    upstream = config.upstreams.get(facts.upstream or config.default_upstream)
    if upstream is not None and not upstream.enabled:
        return f"The upstream {upstream.slug} of {facts.id} is switched off"
    return ""
