"""What came of a request: the resolver's answer, tries, usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from iwrouting.types.values import Kind, Skip, Source, State


@dataclass(frozen=True, slots=True)
class Inference:
    """What `auto` was taken for: a chat mode, why, and the measured features (numbers only, never text)."""

    mode: str
    reason: str
    features: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One source that the resolver looked at. `ref` says where to edit it: `override:12`, a variable, `alias:fast`."""

    source: Source
    value: str | None
    state: State
    ref: str

    def as_dict(self) -> dict[str, Any]:
        """The step in the shape of the REST answer."""
        return {"source": self.source, "value": self.value, "state": self.state, "ref": self.ref}


@dataclass(frozen=True, slots=True)
class Rung:
    """One candidate of a call; `skip` tells why it can't serve, known before any call."""

    rung: int
    alias: str | None
    model: str | None
    source: Source | None
    upstream: str = ""
    skip: Skip | None = None

    def as_dict(self) -> dict[str, Any]:
        """The rung in the shape of the REST answer."""
        return {
            "rung": self.rung,
            "alias": self.alias,
            "model": self.model,
            "source": self.source,
            "upstream": self.upstream,
            "skip": self.skip,
        }


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolver's answer."""

    asked: str
    alias: str | None
    kind: Kind | None
    model: str
    upstream: str
    source: Source
    ladder: tuple[LadderStep, ...]
    chain: tuple[Rung, ...]
    warnings: tuple[str, ...]
    revision: int
    environment_id: str
    inference: Inference | None = None


HOSTED_CALLS = "hosted_calls"
"""Beside the tokens in `Usage.reported`: how often the provider's own tools ran, which no token price covers."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by class as the provider reported them; None: not reported.

    `prompt_tokens` holds the cached ones, `completion_tokens` the reasoning ones (openai-facts.md 1d). `reported`
    is the usage object with nothing but its numbers.
    """

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    service_tier: str = ""
    reported: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AttemptRecord:
    """One try at a rung, or a rung passed over, while it happens. Times in microseconds since `sent_at`.

    Holds no text of the provider but its codes and ids.
    """

    seq: int
    kind: str
    rung: int
    try_number: int
    alias: str
    model: str
    upstream: str
    endpoint: str
    batch: int | None = None
    skip_reason: str = ""
    changes: tuple[str, ...] = ()
    sent_at: datetime | None = None
    sent_ns: int = 0
    first_byte_us: int | None = None
    end_us: int | None = None
    status: int | None = None
    error_type: str = ""
    error_code: str = ""
    error_param: str = ""
    upstream_request_id: str = ""
    response_id: str = ""
    retry_after_ms: int | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    chunks: int | None = None

    @property
    def failed(self) -> bool:
        """Whether this try ended without an answer."""
        return bool(self.error_type)
