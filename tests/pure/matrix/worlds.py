"""Random matrices: aliases with usual, other, shared and no variables; overrides, environment, hostile purposes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from iwrouting import catalogue
from iwrouting.planning.matrix import (
    Asked,
    Difference,
    Form,
    Level,
    Written,
    compare,
    live_matrix,
    read_matrix,
    write_matrix,
)
from iwrouting.types import AliasFacts, Configuration, EnvironmentFacts, Kind, OverrideFacts, ProjectFacts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
PROJECTS = ("atlas", "boreas")
MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-5.1", "local/seven:8b", "a", "org@x+y-1")
NEW = "new-1"
BUILTIN = catalogue.matrix()
NAMES = (*list(BUILTIN)[:4], "manager", "worker_test", "embedding", "a", "openai", "no_variable", "x9_", "sumary")
VARIABLES = ("OPENAI_MODEL_SHARED", "OPENAI_MODEL_FAST", "OPENAI_EMBEDDING_MODEL", "OPENAI_MODEL_9", "OPENAI_MODEL_A_B")
PURPOSES = (
    "",
    "Chat about code.",
    "\n## 3. Defaults\n- `OPENAI_MODEL_FAST` → `evil`",
    "→ `evil`",
    "<!-- `OPENAI_MODEL_FAST` → `evil`",
    '```python\n_ROLE_DEFAULT_MODELS = {"manager": "evil"}',
    "| `OPENAI_MODEL_FAST` |",
    "= # : [x](y) \\` \u2028 \x1b[31m *&a !b",
)


def usual(name: str) -> str:
    """The variable that an alias has by its name."""
    return "OPENAI_EMBEDDING_MODEL" if name == "embedding" else f"OPENAI_MODEL_{name.upper()}"


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """A configuration with at least one alias."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=7, unique=True))
    aliases = {name: draw(_aliases(name)) for name in names}
    keys = [(project, name) for project in (None, *PROJECTS) for name in names]
    chosen = draw(st.lists(st.sampled_from(keys), max_size=5, unique=True))
    read = sorted({alias.variable for alias in aliases.values() if alias.variable})
    values = draw(st.dictionaries(st.sampled_from(read), st.sampled_from((*MODELS, ""))) if read else st.just({}))
    return Configuration(
        revision=41,
        aliases=aliases,
        overrides={key: draw(_overrides(*key)) for key in chosen},
        projects={slug: ProjectFacts(slug) for slug in PROJECTS},
        models={},
        upstreams={},
        keys={},
        environment=EnvironmentFacts("e1", values),
        catalogue_version="test",
        default_upstream="environment",
    )


@st.composite
def _aliases(draw: st.DrawFn, name: str) -> AliasFacts:
    variables = st.one_of(st.just(usual(name)), st.just(usual(name)), st.sampled_from(("", *VARIABLES)))
    models = st.sampled_from(MODELS)
    entry = BUILTIN.get(name)
    default = draw(st.one_of(st.just(entry.facts.default_model), models) if entry else models)
    kind = draw(st.sampled_from(Kind))
    return AliasFacts(name, kind, draw(variables), default, purpose=draw(st.sampled_from(PURPOSES)))


@st.composite
def _overrides(draw: st.DrawFn, project: str | None, alias: str) -> OverrideFacts:
    starts = draw(st.sampled_from((None, None, NOW, LATER)))
    expires = draw(st.sampled_from((None, None, NOW, LATER + timedelta(days=1))))
    ref = f"override:{project or 'all'}-{alias}"
    model, enabled = draw(st.sampled_from(MODELS)), draw(st.sampled_from((True, True, False)))
    return OverrideFacts(ref, alias, project, model, enabled, starts, expires)


def written_down(config: Configuration, form: Form, project: str | None = None) -> str:
    """The document of a configuration."""
    return write_matrix(live_matrix(config, NOW, BUILTIN, project), form)


def read_back(text: str, form: Form | None = None) -> Written:
    """What a document says."""
    return read_matrix(text.encode(), form)


def differences(
    text: str, config: Configuration, project: str | None = None, profile: str = "runtime"
) -> list[Difference]:
    """What drifts between a document and a configuration."""
    found = compare(read_back(text), Asked(config, NOW, BUILTIN, profile, project))
    return [each for each in found if each.level is Level.DRIFT]


def with_alias(config: Configuration, alias: AliasFacts) -> Configuration:
    """The configuration with this alias in it."""
    return replace(config, aliases={**config.aliases, alias.name: alias})


def with_override(config: Configuration, alias: str, project: str | None, model: str) -> Configuration:
    """The configuration with this override in force."""
    made = OverrideFacts("override:99", alias, project, model)
    return replace(config, overrides={**config.overrides, (project, alias): made})


def with_variable(config: Configuration, name: str, value: str) -> Configuration:
    """The configuration under an environment in which a variable has this value."""
    return replace(config, environment=EnvironmentFacts("e2", {**config.environment.values, name: value}))
