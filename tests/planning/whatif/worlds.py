"""Small random configurations, changes of them, and recorded calls that reach every branch of the what-if often."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from iwrouting.models import Decision, Outcome
from iwrouting.pricing import UNPRICED, Cost, cost
from iwrouting.types import (
    ALWAYS,
    FUNCTION_TOOLS,
    AliasFacts,
    Configuration,
    CostState,
    EnvironmentFacts,
    KeyFacts,
    Kind,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    UpstreamFacts,
    Usage,
)
from tests.audit_tables.rows import decision_values, outcome_values

BASE = datetime(2026, 11, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHAT = ("tiny", "small", "large", "deaf", "blind", "codex")
VECTORS = ("vec-1", "vec-2", "vec-3")
STRAY = "stray-9"
NAMES = {
    "auto": Kind.CHAT_MODE,
    "fast": Kind.CHAT_MODE,
    "deep": Kind.CHAT_MODE,
    "manager": Kind.ROLE,
    "embedding": Kind.EMBEDDING,
}
ASKED = (
    "auto",
    "mode:auto",
    "fast",
    "mode:fast",
    "deep",
    "manager",
    "manager",
    "role:manager",
    "embedding",
    "embedding",
)
PROJECTS = ("atlas", "boreas", "ghost", "")
KEYS = ("open", "models", "aliases", "unknown")


def configuration(dice: Random, start: datetime) -> Configuration:
    """A configuration around an hour that begins at `start`."""
    models = {facts.id: facts for facts in _models(dice)}
    aliases = {name: _alias(dice, name, kind) for name, kind in NAMES.items()}
    overrides = [_override(dice, start) for _ in range(dice.randrange(4))]
    keys = [
        KeyFacts("open", "1", frozenset({"call"}), "atlas", None),
        KeyFacts("models", "2", frozenset({"call"}), "atlas", None, allowed_models=frozenset(dice.sample(CHAT, 4))),
        KeyFacts("aliases", "3", frozenset({"call"}), "atlas", None, allowed_aliases=frozenset({"fast", "manager"})),
    ]
    return Configuration(
        revision=7,
        aliases=aliases,
        overrides={(each.project, each.alias): each for each in overrides},
        projects={"atlas": ProjectFacts("atlas"), "boreas": ProjectFacts("boreas", max_context_tokens=350)},
        models=models,
        upstreams={name: UpstreamFacts(name, "https://x.example/v1", "env:OPENAI_API_KEY") for name in ("e", "other")},
        keys={key.sha256: key for key in keys},
        environment=EnvironmentFacts("env", {"OPENAI_MODEL_DEEP": dice.choice(("", "large"))}),
        catalogue_version="c",
        default_upstream="e",
        prices={name: tuple(_prices(dice, start)) for name in (*models, STRAY) if dice.random() < 0.8},
    )


def _models(dice: Random) -> list[ModelFacts]:
    both = frozenset({"chat", "responses"})
    vectors = frozenset({"embeddings"})
    shutdown = dice.choice((None, None, datetime(2026, 10, 1, tzinfo=UTC).date()))
    return [
        ModelFacts("tiny", both, context_window=150, max_input=120, max_output=30),
        ModelFacts("small", both, context_window=300, shutdown_date=shutdown),
        ModelFacts("large", both, context_window=100_000, max_output=80),
        ModelFacts("deaf", frozenset({"chat"}), refused_params=frozenset({FUNCTION_TOOLS}), upstream="other"),
        ModelFacts("blind", both, input_modalities=frozenset({"text"}), enabled=dice.random() < 0.8),
        ModelFacts("codex", frozenset({"responses"}), max_input=400),
        ModelFacts("vec-1", vectors, max_input=50, vector_space="a", dimensions=3),
        ModelFacts("vec-2", vectors, vector_space="a", dimensions=3),
        ModelFacts("vec-3", vectors, vector_space="b", dimensions=3),
    ]


def _alias(dice: Random, name: str, kind: Kind) -> AliasFacts:
    chains = ((), ("fast",), ("auto", "fast"), ("large", "deep"), ("small",))
    model = dice.choice(VECTORS if kind is Kind.EMBEDDING else CHAT)
    chain = () if kind is Kind.EMBEDDING else tuple(each for each in dice.choice(chains) if each != name)
    return AliasFacts(name, kind, f"OPENAI_MODEL_{name.upper()}", model, dice.random() < 0.8, chain)


def _override(dice: Random, start: datetime) -> OverrideFacts:
    name = dice.choice(list(NAMES))
    moments = (None, None, start - HOUR, start + dice.random() * HOUR, start + 2 * HOUR)
    return OverrideFacts(
        ref=f"override:{dice.randrange(1000)}",
        alias=name,
        project=dice.choice((None, "atlas", "boreas")),
        model=dice.choice(VECTORS if name == "embedding" else (*CHAT, STRAY)),
        enabled=dice.random() < 0.8,
        starts_at=dice.choice(moments),
        expires_at=dice.choice(moments),
        infer=dice.random() < 0.8,
    )


def _prices(dice: Random, start: datetime) -> list[PriceFacts]:
    moments = (ALWAYS, ALWAYS, start + dice.random() * HOUR)
    places = [("default", 0, ALWAYS), ("default", dice.choice((0, 110)), dice.choice(moments))]
    places += [("flex", 0, dice.choice(moments))] if dice.random() < 0.5 else []
    return [_price(dice, *place) for place in (places if dice.random() < 0.8 else places[1:])]


def _price(dice: Random, tier: str, above: int, since: datetime) -> PriceFacts:
    pico = [dice.randrange(1, 10**7) for _ in range(4)]
    output, written = (None if dice.random() < 0.1 else pico[1], None if dice.random() < 0.3 else pico[2])
    return PriceFacts(pico[0], pico[3], output, f"v{dice.randrange(3)}", written, since, tier, above)


Edit = Callable[[Random, Configuration, datetime], Configuration]


def changed(dice: Random, config: Configuration, start: datetime) -> Configuration:
    """The configuration with one to three edits."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        config = dice.choice(EDITS)(dice, config, start)
    return config


def _put_override(dice: Random, config: Configuration, start: datetime) -> Configuration:
    row = _override(dice, start)
    return replace(config, overrides={**config.overrides, (row.project, row.alias): row})


def _drop_override(dice: Random, config: Configuration, start: datetime) -> Configuration:
    return replace(config, overrides=dict(list(config.overrides.items())[1:]))


def _edit_alias(dice: Random, config: Configuration, start: datetime) -> Configuration:
    name = dice.choice(list(NAMES))
    row = replace(_alias(dice, name, NAMES[name]), max_context_tokens=dice.choice((None, None, 90)))
    return replace(config, aliases={**config.aliases, name: row})


def _drop_alias(dice: Random, config: Configuration, start: datetime) -> Configuration:
    return replace(config, aliases={name: row for name, row in config.aliases.items() if name != "deep"})


def _edit_model(dice: Random, config: Configuration, start: datetime) -> Configuration:
    row = config.models[dice.choice(CHAT)]
    row = dice.choice(
        (
            replace(row, enabled=not row.enabled),
            replace(row, max_input=dice.choice((60, 200))),
            replace(row, endpoints=frozenset({"responses"})),
            replace(row, upstream="other"),
            replace(row, shutdown_date=datetime(2026, 9, 1, tzinfo=UTC).date()),
        )
    )
    return replace(config, models={**config.models, row.id: row})


def _edit_rest(dice: Random, config: Configuration, start: datetime) -> Configuration:
    off = replace(config.projects["atlas"], enabled=False)
    gone = replace(config.keys["1"], revoked_at=start)
    return dice.choice(
        (
            replace(config, projects={**config.projects, "atlas": off}),
            replace(config, keys={**config.keys, "1": gone}),
            replace(config, upstreams={**config.upstreams, "other": replace(config.upstreams["other"], enabled=False)}),
            replace(config, prices={**config.prices, "large": tuple(_prices(dice, start))}),
        )
    )


EDITS: tuple[Edit, ...] = (
    _put_override, _put_override, _put_override, _drop_override, _edit_alias, _edit_alias, _drop_alias, _edit_model,
    _edit_rest,
)  # fmt: skip


def record(dice: Random, config: Configuration, start: datetime, count: int) -> None:
    """Store calls of the hour, as decisions with their outcomes."""
    decisions, outcomes = [], []
    for _ in range(count):
        at = start + timedelta(milliseconds=dice.randrange(3_600_000))
        values = decision_values(at, **_asked(dice))
        decisions.append(Decision(**values))
        for origin in dice.choice(((), ("server",), ("server",), ("server",), ("sweeper",), ("server", "sweeper"))):
            told = _told(dice, config, values, at)
            outcomes.append(Outcome(**outcome_values(decisions[-1], **{**told, "origin": origin})))
    Decision.objects.bulk_create(decisions)
    Outcome.objects.bulk_create(outcomes)


def _asked(dice: Random) -> dict[str, Any]:
    asked = dice.choice((*ASKED, *CHAT, STRAY, "nobody"))
    auto = asked in ("auto", "mode:auto")
    usual = "embeddings" if asked in ("embedding", *VECTORS) else "chat"
    return {
        "project": dice.choice(PROJECTS),
        "key_id": dice.choice(KEYS),
        "model_asked": asked,
        "alias": asked.partition(":")[2] or asked,
        "inferred_mode": dice.choice(("", "fast", "deep")) if auto else "",
        "features": json.dumps({"images": 1}, separators=(",", ":")) if auto and dice.random() < 0.5 else "{}",
        "endpoint": dice.choice((usual,) * 8 + ("responses", "responses.usage", "resolve", "responses.get")),
        "model_resolved": dice.choice(CHAT),
        "estimate_tokens": dice.choice((None, dice.randrange(500))),
    }


def _told(dice: Random, config: Configuration, decision: dict[str, Any], at: datetime) -> dict[str, Any]:
    result = dice.choice(("ok",) * 8 + ("error", "refused"))
    result = "resolved" if decision["endpoint"] == "resolve" else result
    served = dice.choice((*CHAT, STRAY))
    usage = _usage(dice) if result == "ok" else None
    priced = cost(usage, config.prices.get(served, ()), at, estimated=dice.random() < 0.1) if usage else UNPRICED
    priced = priced if result in ("ok", "error") else Cost(None, CostState.NONE)
    told: dict[str, Any] = {"result": result, "cost_pico": priced.pico, "cost_state": priced.state.value}
    told |= {"price_version": priced.price_version, "model_served": served if usage else ""}
    if usage is None:
        return told
    return told | {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "usage": json.dumps(dict(usage.reported), separators=(",", ":")),
        "finish_reason": dice.choice(("stop", "tool_calls", "")),
    }


def _usage(dice: Random) -> Usage:
    prompt = dice.choice((dice.randrange(20), dice.randrange(500), dice.choice((110, 111, 120, 121, 300, 9_000_001))))
    answer = dice.choice((None, 0, dice.randrange(100), dice.randrange(100)))
    details = {"cached_tokens": 1, "audio_tokens": dice.choice((0, 0, 0, 0, 3))}
    reported: dict[str, Any] = {"prompt_tokens": prompt, "prompt_tokens_details": details}
    reported |= {"completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 5}}
    if dice.random() < 0.1:
        reported["hosted_calls"] = 2
    return Usage(
        prompt_tokens=None if dice.random() < 0.05 else prompt,
        cached_tokens=dice.choice((None, 0, dice.randrange(prompt + 2))),
        cache_write_tokens=dice.choice((None, None, 0, dice.randrange(prompt // 2 + 1))),
        completion_tokens=answer,
        reasoning_tokens=dice.choice((None, 0, dice.randrange((answer or 0) + 2))),
        service_tier=dice.choice(("", "default", "auto", "flex", "flex")),
        reported=reported,
    )
