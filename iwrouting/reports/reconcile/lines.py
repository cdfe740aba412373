"""What the three ledgers say of one call: rows of the audit, lines of a client's log, lines of a provider's log.

Ids are dashed lower-case text, `at` is Unix time. What a ledger does not tell is an empty text or None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TRY = re.compile(rf"({ID.pattern})-(\d{{1,9}})")


class Decided(NamedTuple):
    """A decision of the audit."""

    decision: str
    project: str = ""
    request: str = ""
    asked: str = ""
    endpoint: str = "chat"
    stream: bool = False
    test: bool = False
    writer: str = ""
    retry: int | None = None
    key: str = ""
    resolved: str = ""
    upstream: str = ""
    estimate: int | None = None


class Tried(NamedTuple):
    """An attempt of the audit: a call, or a rung that was passed over (`kind` skip)."""

    decision: str
    seq: int
    kind: str = "call"
    model: str = ""
    upstream: str = ""
    status: int | None = None
    error_type: str = ""
    request: str = ""


class Ended(NamedTuple):
    """An outcome of the audit. `counted` tells who counted the tokens: `provider`, or we."""

    decision: str
    origin: str = "server"
    result: str = "ok"
    status: int | None = None
    model: str = ""
    upstream: str = ""
    calls: int = 0
    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    counted: str = "provider"
    cost_pico: int | None = None
    cost_state: str = ""
    ended: datetime | None = None


class ClientLine(NamedTuple):
    """A line of a client's log. `whole`: 1 if the answer came to its end, 0 if not, None where the log is silent."""

    line: int
    decision: str = ""
    request: str = ""
    status: int | None = None
    model: str = ""
    prompt: int | None = None
    completion: int | None = None
    code: str = ""
    whole: int | None = None
    at: float | None = None


class ProviderLine(NamedTuple):
    """A line of a provider's log: one try as it arrived there. `request` is the provider's own id of it."""

    line: int
    decision: str = ""
    seq: int = 0
    request: str = ""
    status: int | None = None
    model: str = ""
    prompt: int | None = None
    completion: int | None = None
    at: float | None = None


@dataclass(slots=True)
class Call:
    """All that the ledgers say of one decision. `mark`: what became of a decision that no client's line names."""

    decision: str
    decided: list[Decided] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    client: list[ClientLine] = field(default_factory=list)
    provider: list[ProviderLine] = field(default_factory=list)
    mark: str = ""

    @property
    def outcome(self) -> Ended | None:
        """How it ended: by the server's word, else by the sweeper's."""
        return min(self.ended, key=lambda ended: ended.origin != "server", default=None)


def id_seconds(decision: str) -> float:
    """The Unix time inside a decision's id."""
    return int(decision[:8] + decision[9:13], 16) / 1000
