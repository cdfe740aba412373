"""Configurations of all kinds, for what must come back as it was."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from iwrouting.snapshot import builtin_configuration
from iwrouting.types import (
    AliasFacts,
    Configuration,
    KeyFacts,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    UpstreamFacts,
)

SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**53),
    float: st.floats(0, 1e6),
    datetime: st.datetimes(timezones=st.just(UTC)),
    str: st.text(max_size=12),
    type(None): st.none(),
}


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the facts use it."""
    inner = get_args(hint)
    if isinstance(hint, types.UnionType):
        return st.one_of(*map(of_hint, inner))
    if get_origin(hint) is frozenset:
        return st.frozensets(of_hint(inner[0]), max_size=3)
    if get_origin(hint) is tuple:
        return st.lists(of_hint(inner[0]), max_size=3).map(tuple)
    return SIMPLE[hint] if hint in SIMPLE else st.from_type(hint)


def facts(kind: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Facts of a kind, every field drawn."""
    return st.builds(kind, **{name: of_hint(hint) for name, hint in get_type_hints(kind).items()} | given)


def by(key: Callable[[Any], Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    """Some of them by their name."""
    return st.lists(values, max_size=2).map(lambda found: {key(each): each for each in found})


upstreams = facts(
    UpstreamFacts,
    slug=st.sampled_from(["far", "near"]),
    base_url=st.sampled_from(["https://far.example/v1", "http://10.0.0.1:8080/v1"]),
    secret_ref=st.sampled_from(["env:OPENAI_API_KEY", "file:key", "env:IW_UPSTREAM_FAR"]),
    trusted=st.just(False),
)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """One as a database could give it."""
    base = builtin_configuration()
    projects = draw(by(lambda each: each.slug, facts(ProjectFacts)))
    return replace(
        base,
        revision=draw(SIMPLE[int]),
        aliases=draw(by(lambda each: each.name, facts(AliasFacts))),
        overrides=draw(by(lambda each: (each.project, each.alias), facts(OverrideFacts))),
        projects=projects,
        projects_by_external_id={each.external_id: each.slug for each in projects.values() if each.external_id},
        models=draw(by(lambda each: each.id, facts(ModelFacts))),
        upstreams=draw(by(lambda each: each.slug, upstreams)) | dict(base.upstreams),
        keys=draw(by(lambda each: each.sha256, facts(KeyFacts))),
        prices=draw(st.dictionaries(SIMPLE[str], st.lists(facts(PriceFacts), max_size=2).map(tuple), max_size=2)),
        database=True,
    )
