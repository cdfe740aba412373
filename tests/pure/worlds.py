"""Small random configurations and questions that reach every branch of the resolver often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import Any

from hypothesis import strategies as st

from iwrouting.types import (
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    KeyFacts,
    Kind,
    ModelFacts,
    OverrideFacts,
    ProjectFacts,
    UpstreamFacts,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
STARTS = (None, None, None, NOW - DAY, NOW - TICK, NOW, NOW + TICK, NOW + DAY)
EXPIRIES = (None, None, None, NOW + DAY, NOW + TICK, NOW, NOW - TICK, NOW - DAY)
WARNING_DAYS = 90

KINDS = {
    "auto": Kind.CHAT_MODE,
    "fast": Kind.CHAT_MODE,
    "deep": Kind.CHAT_MODE,
    "code": Kind.CHAT_MODE,
    "manager": Kind.ROLE,
    "embedding": Kind.EMBEDDING,
}
CATALOGUED = ("alpha-1", "beta-2", "gamma-3", "delta-4", "vector-5")
STRAY = ("stray-8", "stray-9")
MODELS = CATALOGUED + STRAY
BLANKS = ("", "  ")
PROJECTS = ("atlas", "boreas")

ROWS_OF_MODELS = tuple(
    product(
        ({"chat", "responses"}, {"chat"}, {"responses"}, {"embeddings"}),
        (True, True, True, False),
        (None, None, *(date(2026, 11, 22) + days * DAY for days in (-1, 0, 1, WARNING_DAYS, WARNING_DAYS + 1))),
        ("", "", "other", "switched-off", "forgotten"),
    )
)
CHAINS = (
    (),
    ("auto", "fast"),
    ("fast", "auto"),
    ("manager", "deep", "code"),
    ("beta-2", "auto"),
    ("gamma-3", "gamma-3", "stray-9"),
    ("embedding", "fast"),
)
ROWS_OF_ALIASES = tuple(
    product(
        (*MODELS, *MODELS, " beta-2 ", *BLANKS),
        (None, None, *BLANKS, *MODELS, " gamma-3 "),
        (True, True, False),
        CHAINS,
    )
)
ROWS_OF_OVERRIDES = (None,) * 1_000 + tuple(
    product((*MODELS, " alpha-1 ", *BLANKS), (True, True, True, False), STARTS, EXPIRIES, (True, True, False))
)

NAMES = (
    *KINDS,
    *KINDS,
    *KINDS,
    *(["auto"] * 12),
    *(f"role:{name}" for name in KINDS),
    *(f"mode:{name}" for name in KINDS),
    "embedding:embedding",
    *MODELS,
    *MODELS,
    "manger",
    "FAST",
    "alpha-11",
    "role:mangaer",
    "",
    "a model that nobody knows",
)
MOSTLY = (True,) * 7 + (False,)

SUBSETS_OF_ALIASES: tuple[set[str] | None, ...] = (
    None,
    None,
    None,
    {"auto"},
    {"manager", "fast"},
    {"deep", "embedding"},
    set(),
)
SUBSETS_OF_MODELS: tuple[set[str] | None, ...] = (
    None,
    None,
    None,
    set(MODELS),
    {"alpha-1", "stray-9"},
    {"beta-2", "gamma-3", "delta-4"},
    set(),
)


@dataclass(frozen=True)
class Question:
    """What is asked of the resolver beside the configuration. `mode` is what the messages look like."""

    name: str
    project: str | None
    mode: str | None
    endpoint: str | None
    key: KeyFacts | None


def key_with(aliases: set[str] | None, models: set[str] | None) -> KeyFacts:
    """A key with these grants; None is the default grant."""
    return KeyFacts(
        key_id="0123456789",
        sha256="00",
        scopes=frozenset(),
        default_project="atlas",
        projects=None,
        allowed_aliases=None if aliases is None else frozenset(aliases),
        allowed_models=None if models is None else frozenset(models),
    )


GRANTS = [None] * 49 + [key_with(*subsets) for subsets in product(SUBSETS_OF_ALIASES, SUBSETS_OF_MODELS)]

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of these."""


def a_configuration(pick: Pick) -> Configuration:
    """A configuration of six aliases, two projects, five models and two upstreams beside the default one."""
    names = [name for name in KINDS if name != "code" or pick(MOSTLY)]
    rows = {name: pick(ROWS_OF_ALIASES) for name in names}
    overrides = (_override(pick, project, name) for project in (None, *PROJECTS) for name in names)
    return Configuration(
        revision=41,
        aliases={name: _alias(name, row[0], row[2], row[3]) for name, row in rows.items()},
        overrides=dict(filter(None, overrides)),
        projects={slug: ProjectFacts(slug) for slug in PROJECTS},
        models={name: _model(name, pick) for name in CATALOGUED},
        upstreams={slug: _upstream(slug) for slug in ("environment", "other", "switched-off")},
        keys={},
        environment=EnvironmentFacts(
            "e1", {_variable(name): row[1] for name, row in rows.items() if row[1] is not None}
        ),
        catalogue_version="test",
        default_upstream="environment",
        database=pick(MOSTLY),
        lifecycle_warning_days=WARNING_DAYS,
    )


def a_question(pick: Pick) -> Question:
    """Any question."""
    return Question(
        name=pick(NAMES),
        project=pick((None, *PROJECTS, *PROJECTS, "nowhere")),
        mode=pick((None, "fast", "deep", "code")),
        endpoint=pick((None, "chat", "chat", "embeddings")),
        key=pick(GRANTS),
    )


@cache
def _indices(size: int) -> st.SearchStrategy[int]:
    return st.integers(0, size - 1)


@st.composite
def examples(draw: st.DrawFn) -> tuple[Configuration, Question]:
    """A configuration and a question that shrink to a simple case."""

    def pick(options: Sequence[Any]) -> Any:
        return options[draw(_indices(len(options)))]

    return a_configuration(pick), a_question(pick)


def even_examples() -> st.SearchStrategy[tuple[Configuration, Question]]:
    """The same, each choice evenly: they do not shrink, but reach all branches as often as the tables above say."""

    def example(seed: int) -> tuple[Configuration, Question]:
        pick = Random(seed).choice  # noqa: S311 - no secret is drawn
        return a_configuration(pick), a_question(pick)

    return st.integers(0, 2**64 - 1).map(example)


def _variable(name: str) -> str:
    return "OPENAI_EMBEDDING_MODEL" if name == "embedding" else f"OPENAI_MODEL_{name.upper()}"


def _alias(name: str, default: str, infer: bool, chain: tuple[str, ...]) -> AliasFacts:
    chain = () if name == "embedding" else chain
    return AliasFacts(name, KINDS[name], _variable(name), default_model=default, infer=infer, chain=chain)


def _override(pick: Pick, project: str | None, alias: str) -> tuple[tuple[str | None, str], OverrideFacts] | None:
    row = pick(ROWS_OF_OVERRIDES)
    if row is None:
        return None
    model, enabled, starts_at, expires_at, infer = row
    ref = f"override:{project or 'all'}-{alias}"
    return (project, alias), OverrideFacts(ref, alias, project, model, enabled, starts_at, expires_at, infer)


def _model(name: str, pick: Pick) -> ModelFacts:
    endpoints, enabled, shutdown, upstream = pick(ROWS_OF_MODELS)
    return ModelFacts(
        name, frozenset(endpoints), enabled=enabled, shutdown_date=shutdown, replacement="beta-2", upstream=upstream
    )


def _upstream(slug: str) -> UpstreamFacts:
    return UpstreamFacts(slug, "https://provider.example/v1", "env:OPENAI_API_KEY", enabled=slug != "switched-off")
