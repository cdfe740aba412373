"""A configuration as bytes that can be kept, and back (design.md 9.11). Pure but for the settings of this process.

What the environment of a process decides is not kept and comes from the process that reads: the routing variables, the
environment's upstream, the keys of IW_API_KEY_SHA256, whether private addresses are allowed. No secret is kept: keys
are hashes, an upstream's secret is a reference, and what is none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from iwrouting.conf import settings
from iwrouting.conf.addresses import url_fault
from iwrouting.conf.environment import secret_ref_fault
from iwrouting.snapshot.builtin import builtin_configuration
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

OWN = frozenset(
    {
        "environment",
        "catalogue_version",
        "default_upstream",
        "lifecycle_warning_days",
        "database",
        "from_disk",
        "glass",
        "projects_by_external_id",
    }
)
"""The members of a configuration that are not kept: this process knows them, or they follow from others."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a configuration: every member but OWN. Overrides are a list, since JSON has no pairs as names."""

    revision: int
    aliases: dict[str, AliasFacts]
    overrides: list[OverrideFacts]
    projects: dict[str, ProjectFacts]
    models: dict[str, ModelFacts]
    upstreams: dict[str, UpstreamFacts]
    keys: dict[str, KeyFacts]
    prices: dict[str, tuple[PriceFacts, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept configuration, who kept it, and when it was last known to be the newest."""

    app_version: str
    confirmed_at: datetime
    configuration: Stored


class Unfit(Exception):
    """The bytes are no configuration of this form."""


_kept = TypeAdapter(Kept)


def encode(config: Configuration, app_version: str, confirmed_at: datetime) -> bytes:
    """A configuration that was read from a database, as JSON."""
    stored = Stored(
        revision=config.revision,
        aliases=dict(config.aliases),
        overrides=list(config.overrides.values()),
        projects=dict(config.projects),
        models=dict(config.models),
        upstreams=dict(_upstreams(config)),
        keys=dict(config.keys),
        prices=dict(config.prices),
    )
    return orjson.dumps(Kept(app_version, confirmed_at, stored), default=_sorted)


def decode(payload: bytes) -> Kept:
    """What `encode` made. Raises Unfit."""
    try:
        return _kept.validate_json(payload, strict=True)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"][:3])
        raise Unfit(f"its {place or 'content'} is not what this release keeps") from None


def revive(kept: Kept) -> Configuration:
    """The configuration as this process serves it: with its own environment. Raises SettingsError."""
    stored, base = kept.configuration, builtin_configuration()
    trusted = settings().allow_private_upstreams
    upstreams = {slug: replace(found, trusted=trusted) for slug, found in stored.upstreams.items()}
    return replace(
        base,
        revision=stored.revision,
        aliases=stored.aliases,
        overrides={(found.project, found.alias): found for found in stored.overrides},
        projects=stored.projects,
        projects_by_external_id={
            found.external_id: found.slug for found in stored.projects.values() if found.external_id
        },
        models=stored.models,
        upstreams=upstreams | dict(base.upstreams),
        prices=stored.prices,
        # A stored key that is revoked must stay so, whatever the environment names.
        keys=dict(base.keys) | stored.keys,
        database=True,
        from_disk=kept.confirmed_at,
    )


def _upstreams(config: Configuration) -> Iterator[tuple[str, UpstreamFacts]]:
    """Those of the database. No save lets a secret into a row; what was put there by SQL is not copied."""
    for slug, found in config.upstreams.items():
        if slug == config.default_upstream:
            continue
        bad_ref = found.secret_ref and secret_ref_fault(found.secret_ref)
        if bad_ref or url_fault(found.base_url, allow_private=True):
            found = replace(found, secret_ref="", base_url="")
        yield slug, found


def _sorted(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} can't be kept")
