"""The chain: the ordered candidates of a call, each resolved for the same project (design.md 5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from iwrouting.resolver.grants import may_reach
from iwrouting.resolver.ladder import climb
from iwrouting.types import AliasFacts, Configuration, Endpoint, KeyFacts, ModelFacts, Rung, Skip, Source

CAUTIOUS = frozenset(endpoint.value for endpoint in Endpoint)
"""A model that the catalogue does not know may serve any endpoint, and its requests are not changed."""


def facts_of(config: Configuration, model: str) -> ModelFacts:
    """What is known of a model; cautious facts, marked unverified, for one that the catalogue does not hold."""
    return config.models.get(model) or ModelFacts(id=model, endpoints=CAUTIOUS, verified=False)


def upstream_of(config: Configuration, model: str) -> str:
    """The slug of the upstream that serves a model."""
    return facts_of(config, model).upstream or config.default_upstream


def build_chain(
    config: Configuration,
    alias: AliasFacts | None,
    model: str,
    source: Source,
    *,
    project: str | None,
    now: datetime,
    endpoint: str | None,
    key: KeyFacts | None,
) -> tuple[Rung, ...]:
    """Rung 0 and what follows it; `skip` marks what can't serve. A cycle can do no harm: rungs are not followed."""
    seen: set[str] = set()
    rungs = []
    candidates = [(alias.name if alias else None, model, source)]
    candidates += _rungs(config, alias.chain if alias else (), project, now)
    for index, (name, candidate, where) in enumerate(candidates):
        skip = _skip(config, candidate, seen=seen, endpoint=endpoint, key=key)
        rungs.append(Rung(index, name, candidate, where, upstream_of(config, candidate), skip))
        seen.add(candidate)
    return tuple(rungs)


def _rungs(
    config: Configuration, chain: tuple[str, ...], project: str | None, now: datetime
) -> Iterator[tuple[str | None, str, Source]]:
    for name in chain:
        alias = config.aliases.get(name)
        if alias is None:
            yield None, name, Source.EXPLICIT
            continue
        _, model, source = climb(config, alias, project, now)
        yield name, model, source


def _skip(
    config: Configuration, model: str, *, seen: set[str], endpoint: str | None, key: KeyFacts | None
) -> Skip | None:
    facts = facts_of(config, model)
    upstream = config.upstreams.get(facts.upstream or config.default_upstream)
    if model in seen:
        return Skip.DUPLICATE
    if not may_reach(key, model):
        return Skip.NOT_ALLOWED
    if not facts.enabled or upstream is None or not upstream.enabled:
        return Skip.MODEL_DISABLED
    if endpoint is not None and facts.served_at(endpoint) is None:
        return Skip.ENDPOINT_UNSUPPORTED
    return None
