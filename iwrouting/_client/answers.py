"""Which model stands behind an alias, and who said so."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Literal

from iwrouting.catalogue import matrix

AnswerSource = Literal["service", "last_known", "environment", "default"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The model behind an alias.

    `source` says who answered: the service (now, or within its `ttl_s`), or, while it is unavailable, its last known
    answer, the alias's environment variable, or the built-in default. `cause` then says why. What the service decided
    stands in `decided_by` (its own source: project_override, override, environment, default, explicit) and in the
    fields after it; they are empty where the service never answered.
    """

    alias: str
    model: str
    source: AnswerSource
    kind: str | None = None
    decided_by: str | None = None
    upstream: str | None = None
    inferred_mode: str | None = None
    reason: str | None = None
    features: Mapping[str, Any] = field(default_factory=dict)
    ladder: tuple[Mapping[str, Any], ...] = ()
    chain: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    revision: int | None = None
    environment_id: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An answer of the service, kept for the life of the process; `fresh_until` on the monotonic clock."""

    answer: Answer
    ttl_s: float
    etag: str | None
    fresh_until: float

    def is_fresh(self) -> bool:
        """Whether it may be given without asking again."""
        return monotonic() < self.fresh_until

    def renewed(self) -> Known:
        """The same answer after a 304."""
        return replace(self, fresh_until=monotonic() + self.ttl_s)


def parse(alias: str, body: object, etag: str | None) -> Known:
    """A resolution of the REST API as Known. Raises ValueError for anything else."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str) or not _is_number(body.get("ttl_s")):
        raise ValueError("answered something that is not a resolution")
    answer = Answer(
        alias=alias,
        model=body["model"],
        source="service",
        kind=body.get("kind"),
        decided_by=body.get("source"),
        upstream=body.get("upstream"),
        inferred_mode=body.get("inferred_mode"),
        reason=body.get("reason"),
        features=body.get("features") or {},
        ladder=tuple(body.get("ladder") or ()),
        chain=tuple(body.get("chain") or ()),
        warnings=tuple(body.get("warnings") or ()),
        revision=body.get("revision"),
        environment_id=body.get("environment_id"),
    )
    ttl_s = float(body["ttl_s"])
    return Known(answer, ttl_s, etag, monotonic() + ttl_s)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def without_service(alias: str, known: Known | None, cause: str) -> Answer | None:
    """The answer while the service is unavailable: last known, then the variable, then the built-in default, or None.

    The order is the resolver's own (design.md 4): what the database said, the environment, the default.
    """
    if known is not None:
        return replace(known.answer, source="last_known", cause=cause)
    built_in = matrix().get(alias)
    kind = str(built_in.facts.kind) if built_in else None
    value = os.environ.get(variable(alias), "").strip()
    if value:
        return Answer(alias, value, "environment", kind=kind, cause=cause)
    if built_in is not None:
        return Answer(alias, built_in.facts.default_model, "default", kind=kind, cause=cause)
    return None


def variable(alias: str) -> str:
    """The alias's environment variable; for one that is not built in, the name that the owner's scheme gives it."""
    built_in = matrix().get(alias)
    return built_in.facts.variable if built_in else "OPENAI_MODEL_" + re.sub(r"[^A-Z0-9]", "_", alias.upper())
