"""Which model serves, and why: one pure function for the proxy, the API, the admin and the command line.

Order, stated once (design.md 4): **database, then environment, then default**. No I/O, no clock of its own.
"""

from __future__ import annotations

from datetime import datetime

from iwrouting.errors import UnknownModel
from iwrouting.resolver.chain import build_chain, facts_of, upstream_of
from iwrouting.resolver.grants import may_ask_alias, may_ask_model, may_reach
from iwrouting.resolver.ladder import climb
from iwrouting.resolver.modes import infers
from iwrouting.resolver.names import find_alias, unknown_name
from iwrouting.resolver.warnings import warnings_for
from iwrouting.types import (
    Configuration,
    Endpoint,
    Inference,
    KeyFacts,
    Kind,
    LadderStep,
    Resolution,
    Source,
    State,
)

__all__ = [
    "climb",
    "endpoint_for",
    "facts_of",
    "infers",
    "may_ask_alias",
    "may_ask_model",
    "may_reach",
    "resolve",
    "upstream_of",
]


def resolve(
    config: Configuration,
    name: str,
    *,
    project: str | None,
    now: datetime,
    inference: Inference | None = None,
    endpoint: str | None = None,
    key: KeyFacts | None = None,
) -> Resolution:
    """Resolve an alias or a model id.

    `project` is a slug, or None for the global rungs. `inference` is what the messages look like; it counts only
    for `auto`, while inference is on and its mode is an alias. `endpoint` and `key` mark the rungs that can't serve
    this call. Raises UnknownModel for a name that is no alias and no model granted to the key, and Unavailable for
    an alias without any model.
    """
    alias = find_alias(config, name)
    if alias is None or not may_ask_alias(key, alias.name):
        return _explicit(config, name, project, now, endpoint, key)
    serving = alias
    if inference is not None and infers(config, alias, project, now):
        serving = config.aliases.get(inference.mode, alias)
    if serving is alias:
        inference = None
    ladder, model, source = climb(config, serving, project, now)
    chain = build_chain(config, serving, model, source, project=project, now=now, endpoint=endpoint, key=key)
    return Resolution(
        asked=name,
        alias=alias.name,
        kind=alias.kind,
        model=model,
        upstream=upstream_of(config, model),
        source=source,
        ladder=ladder,
        chain=chain,
        warnings=warnings_for(config, chain, now),
        revision=config.revision,
        environment_id=config.environment.id,
        inference=inference,
    )


def _explicit(
    config: Configuration, name: str, project: str | None, now: datetime, endpoint: str | None, key: KeyFacts | None
) -> Resolution:
    if not may_ask_model(config, key, name, project, now):
        raise UnknownModel(unknown_name(config, name, key), param="model")
    upstream = upstream_of(config, name)
    chain = build_chain(config, None, name, Source.EXPLICIT, project=project, now=now, endpoint=endpoint, key=key)
    return Resolution(
        asked=name,
        alias=None,
        kind=None,
        model=name,
        upstream=upstream,
        source=Source.EXPLICIT,
        ladder=(LadderStep(Source.EXPLICIT, name, State.USED, f"model:{name}"),),
        chain=chain,
        warnings=warnings_for(config, chain, now),
        revision=config.revision,
        environment_id=config.environment.id,
    )


def endpoint_for(config: Configuration, name: str) -> str | None:
    """The endpoint at which a name is meant to be asked: embeddings for an embedding alias, chat for the others.

    None for a model id: it is judged where it is asked.
    """
    alias = find_alias(config, name)
    if alias is None:
        return None
    return Endpoint.EMBEDDINGS if alias.kind is Kind.EMBEDDING else Endpoint.CHAT
