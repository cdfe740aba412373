"""A small configuration for the resolver's tests, and short ways to ask it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from iwrouting.resolver import resolve
from iwrouting.types import (
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    Inference,
    KeyFacts,
    Kind,
    ModelFacts,
    OverrideFacts,
    Resolution,
    UpstreamFacts,
)
from tests.pure.worlds import NOW

CHAT = frozenset({"chat", "responses"})


def alias(name: str, model: str, *chain: str, kind: Kind = Kind.CHAT_MODE, infer: bool = True) -> AliasFacts:
    return AliasFacts(name, kind, f"OPENAI_MODEL_{name.upper()}", model, infer, chain)


def override(name: str, model: str, project: str | None = None, **changes: object) -> OverrideFacts:
    return replace(OverrideFacts("override:7", name, project, model), **changes)  # type: ignore[arg-type] # any field


def configured(*overrides: OverrideFacts, **variables: str) -> Configuration:
    aliases = [
        alias("auto", "mid", "fast"),
        alias("fast", "small", "auto"),
        alias("code", "coder", "auto", "fast"),
        alias("manager", "large", "auto", "fast", kind=Kind.ROLE),
        alias("embedding", "vectors", kind=Kind.EMBEDDING),
    ]
    models = [ModelFacts(name, CHAT) for name in ("small", "mid", "large")]
    models += [ModelFacts("coder", frozenset({"responses"})), ModelFacts("vectors", frozenset({"embeddings"}))]
    return Configuration(
        revision=3,
        aliases={each.name: each for each in aliases},
        overrides={(each.project, each.alias): each for each in overrides},
        projects={},
        models={each.id: each for each in models},
        upstreams={"environment": UpstreamFacts("environment", "https://provider.example/v1", "env:OPENAI_API_KEY")},
        keys={},
        environment=EnvironmentFacts("e", {f"OPENAI_MODEL_{name}": value for name, value in variables.items()}),
        catalogue_version="c",
        default_upstream="environment",
    )


def ask(
    config: Configuration,
    name: str,
    *,
    project: str | None = "atlas",
    now: datetime = NOW,
    inference: Inference | None = None,
    endpoint: str | None = None,
    key: KeyFacts | None = None,
) -> Resolution:
    return resolve(config, name, project=project, now=now, inference=inference, endpoint=endpoint, key=key)


def states(found: Resolution) -> list[str]:
    return [step.state.value for step in found.ladder]


def chain(found: Resolution) -> list[tuple[str | None, str | None, str | None]]:
    return [(rung.alias, rung.model, rung.skip and rung.skip.value) for rung in found.chain]


def with_alias(config: Configuration, changed: AliasFacts) -> Configuration:
    return replace(config, aliases={**config.aliases, changed.name: changed})


def with_model(config: Configuration, changed: ModelFacts) -> Configuration:
    return replace(config, models={**config.models, changed.id: changed})
