"""A configuration made of its rows, wherever they come from; refused where it would break routing (G4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from iwrouting.conf import settings
from iwrouting.models import Alias, ApiKey, Model, Override, Price, Project, Upstream
from iwrouting.models.keys import ALL_PROJECTS
from iwrouting.snapshot.builtin import builtin_configuration
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import (
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    KeyFacts,
    Kind,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    Sampling,
    UpstreamFacts,
)
from iwrouting.types.faults import unusable

Rows = Mapping[str, Sequence[Any]]
"""Rows by the word for their kind (models/contents.py)."""


def assemble(
    rows: Rows, revision: int, environment: EnvironmentFacts | None = None, *, checked: bool = True
) -> Configuration:
    """The configuration of these rows under an environment, that of this process where none is given.

    Raises SnapshotRefused, unless it is to be judged elsewhere (`checked` False).
    """
    base = builtin_configuration()
    upstreams = {row.slug: _upstream(row) for row in rows["upstream"]}
    projects = {row.slug: _project(row) for row in rows["project"]}
    found = replace(
        base,
        revision=revision,
        aliases={row.name: _alias(row) for row in rows["alias"]},
        overrides=_overrides(rows["override"]),
        projects=projects,
        projects_by_external_id={row.external_id: row.slug for row in projects.values() if row.external_id},
        models={row.model_id: _model(row) for row in rows["model"]},
        upstreams=upstreams | dict(base.upstreams),
        prices=_prices(rows["price"]),
        keys={row.sha256: _key(row) for row in rows["key"]},
        environment=base.environment if environment is None else environment,
        database=True,
    )
    if checked:
        check_apart(upstreams, base.default_upstream)
        check(found)
    return found


def check_apart(rows: Iterable[str], environment: str) -> None:
    """Raise SnapshotRefused where the environment's upstream would hide one of the database."""
    if environment in rows:
        raise SnapshotRefused(
            f"upstream {environment} of the database has the name of the environment's upstream: set IW_UPSTREAM_NAME "
            "to another name, or delete that row"
        )


def check(config: Configuration) -> None:
    """Raise SnapshotRefused for what no worker can live with (docs/configuration-rules.md): all else it survives."""
    for alias in config.aliases.values():
        if fault := unusable(alias):
            raise SnapshotRefused(fault.told())


def _project(row: Project) -> ProjectFacts:
    return ProjectFacts(
        slug=row.slug,
        external_id=row.external_id or "",
        enabled=row.enabled,
        strict_parameters=row.strict_parameters,
        max_context_tokens=row.max_context_tokens,
        max_run_tokens=row.max_run_tokens,
    )


def _alias(row: Alias) -> AliasFacts:
    return AliasFacts(
        name=row.name,
        kind=Kind(row.kind),
        variable=row.variable,
        default_model=row.default_model,
        infer=row.infer,
        chain=tuple(row.chain),
        purpose=row.purpose,
        subsystem=row.subsystem,
        tier=row.tier,
        deadline_s=row.deadline_s,
        max_context_tokens=row.max_context_tokens,
    )


def _overrides(rows: Iterable[Override]) -> dict[tuple[str | None, str], OverrideFacts]:
    return {(row.project.slug if row.project else None, row.alias.name): _override(row) for row in rows}


def _override(row: Override) -> OverrideFacts:
    return OverrideFacts(
        ref=f"override:{row.pk}",
        alias=row.alias.name,
        project=row.project.slug if row.project else None,
        model=row.model,
        enabled=row.enabled,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        infer=row.infer,
    )


def _model(row: Model) -> ModelFacts:
    return ModelFacts(
        id=row.model_id,
        endpoints=frozenset(row.endpoints),
        context_window=row.context_window,
        max_input=row.max_input,
        max_output=row.max_output,
        reasoning=row.reasoning,
        default_effort=row.default_effort,
        sampling=Sampling(row.sampling),
        completion_cap_param=row.completion_cap_param,
        shutdown_date=row.shutdown_date,
        replacement=row.replacement,
        upstream=row.upstream.slug if row.upstream else "",
        enabled=row.enabled,
        refused_params=frozenset(row.refused_params),
        efforts=tuple(row.efforts),
        effort_for_tools=row.effort_for_tools,
        hosted_tools=None if row.hosted_tools is None else frozenset(row.hosted_tools),
        input_modalities=frozenset(row.input_modalities),
        dimensions=row.dimensions,
        vector_space=row.vector_space,
        saved_at=row.updated_at,
    )


def _prices(rows: Iterable[Price]) -> dict[str, tuple[PriceFacts, ...]]:
    found: dict[str, tuple[PriceFacts, ...]] = {}
    for row in rows:
        found[row.model_id] = (*found.get(row.model_id, ()), row.facts)
    return found


def _upstream(row: Upstream) -> UpstreamFacts:
    return UpstreamFacts(
        slug=row.slug,
        base_url=row.base_url.rstrip("/"),
        secret_ref=row.secret_ref,
        connect_timeout_s=row.connect_timeout_s,
        first_byte_timeout_s=row.first_byte_timeout_s,
        idle_timeout_s=row.idle_timeout_s,
        trusted=settings().allow_private_upstreams,
        enabled=row.enabled,
        saved_at=row.updated_at,
    )


def _key(row: ApiKey) -> KeyFacts:
    named = {row.project.slug, *row.projects}
    return KeyFacts(
        key_id=row.key_id,
        sha256=row.sha256,
        scopes=frozenset(row.scopes),
        default_project=row.project.slug,
        projects=None if ALL_PROJECTS in named else frozenset(named),
        allowed_aliases=None if row.allowed_aliases is None else frozenset(row.allowed_aliases),
        allowed_models=None if row.allowed_models is None else frozenset(row.allowed_models),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        name=row.name,
    )
