"""`/v1/models`: what a key may name, aliases first. No rows: nothing is decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from iwrouting.calls.caller import Caller
from iwrouting.errors import RoutingError, UnknownModel
from iwrouting.resolver import endpoint_for, may_ask_alias, may_ask_model, resolve
from iwrouting.resolver.names import find_alias, unknown_name
from iwrouting.types import AliasFacts, Configuration, ModelFacts

OWNER = "iwrouting"
CREATED = 0


def list_models(config: Configuration, caller: Caller) -> dict[str, Any]:
    """Every alias and model that the caller may name, in OpenAI's list shape."""
    return {"object": "list", "data": [*_aliases(config, caller), *_models(config, caller)]}


def show_model(config: Configuration, caller: Caller, name: str) -> dict[str, Any]:
    """One of them, by any name that a call takes, such as `role:manager`. Raises UnknownModel."""
    alias = find_alias(config, name)
    if alias is not None and may_ask_alias(caller.key, alias.name):
        return _alias(config, caller, alias)
    if may_ask_model(config, caller.key, name, caller.project, datetime.now(UTC)):
        return _model(config.models.get(name) or ModelFacts(id=name, endpoints=frozenset(), verified=False))
    raise UnknownModel(unknown_name(config, name, caller.key), param="model")


def _aliases(config: Configuration, caller: Caller) -> Iterator[dict[str, Any]]:
    for alias in config.aliases.values():
        if may_ask_alias(caller.key, alias.name):
            yield _alias(config, caller, alias)


def _alias(config: Configuration, caller: Caller, alias: AliasFacts) -> dict[str, Any]:
    entry = {"id": alias.name, "object": "model", "created": CREATED, "owned_by": OWNER}
    try:
        found = resolve(
            config,
            alias.name,
            project=caller.project,
            now=datetime.now(UTC),
            endpoint=endpoint_for(config, alias.name),
            key=caller.key,
        )
    except RoutingError as error:
        return {**entry, "routing": {"kind": alias.kind, "fault": error.message}}
    chain = [rung.as_dict() for rung in found.chain]
    routing = {"kind": alias.kind, "model": found.model, "source": found.source, "chain": chain}
    return {**entry, "routing": {**routing, "purpose": alias.purpose, "warnings": found.warnings}}


def _models(config: Configuration, caller: Caller) -> Iterator[dict[str, Any]]:
    named = caller.key.allowed_models
    names = config.models if named is None else sorted(named)
    for name in names:
        facts = config.models.get(name)
        if facts is not None and facts.enabled:
            yield _model(facts)


def _model(facts: ModelFacts) -> dict[str, Any]:
    shutdown = facts.shutdown_date.isoformat() if facts.shutdown_date else None
    return {
        "id": facts.id,
        "object": "model",
        "created": CREATED,
        "owned_by": facts.upstream or "provider",
        "shutdown_date": shutdown,
    }
