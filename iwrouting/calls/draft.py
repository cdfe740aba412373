"""A decision while it is being made, and the rows it becomes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from iwrouting import __version__
from iwrouting.audit import ATTEMPT, DECISION, OUTCOME, Row, as_json, finish_row, new_id, new_id_at
from iwrouting.autoroute import RULES_VERSION
from iwrouting.calls.caller import Caller
from iwrouting.calls.purse import Purse
from iwrouting.conf.redact import word
from iwrouting.pricing import NOTHING_SENT, Cost
from iwrouting.snapshot.glass import WARNING as BREAK_GLASS
from iwrouting.tokens import SOURCE_BYTES, Count, estimate
from iwrouting.types import AttemptRecord, Configuration, HeldFacts, Resolution, Result, Rung, Usage

ORIGIN_SERVER = "server"


@dataclass(slots=True)
class Draft:
    """What is known of a request so far. The configuration is taken once: no request sees a mix of two.

    `count`: its input's tokens, where they were counted. `purse`: what its run's budget gives it. `is_kept`: the
    provider is asked to keep the response; `goes_on`: to make it in the background. `fetches`: the kept response that
    is asked for; `reason` says so on the decision. `closed`: its outcome has been handed to the writer.
    """

    caller: Caller
    endpoint: str
    config: Configuration
    size: int
    asked: str = ""
    is_stream: bool = False
    resolution: Resolution | None = None
    count: Count | None = None
    purse: Purse | None = None
    warnings: tuple[str, ...] = ()
    is_kept: bool = False
    goes_on: bool = False
    fetches: HeldFacts | None = None
    reason: str = ""
    closed: bool = False
    id: str = ""
    decision_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.id, self.decision_at = new_id_at()

    def elapsed_us(self) -> int:
        """Microseconds since the request arrived."""
        return (time.monotonic_ns() - self.caller.started_ns) // 1000

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """The warnings of caller and resolution."""
        found = self.resolution.warnings if self.resolution else ()
        # By its own configuration: another request may already be under one that has more or less switched off.
        switched_off = (f"{BREAK_GLASS}: {ref}" for ref in self.config.glass)
        return (*self.caller.warnings, *switched_off, *self.warnings, *found)

    def decision_row(self) -> Row:
        """The decision as stored."""
        caller, config = self.caller, self.config
        row = {
            "id": self.id,
            "decision_at": self.decision_at,
            "project": caller.project_text,
            "project_external_id": caller.project_external_id,
            "key_id": caller.key.key_id,
            "request_id": caller.request_id,
            "run_id": caller.run_id,
            "tags": as_json(caller.tags),
            "client_retry": caller.client_retry,
            "endpoint": self.endpoint,
            "is_stream": self.is_stream,
            "is_test": caller.is_test,
            "model_asked": self.asked,
            "warnings": as_json(self.all_warnings),
            "revision": config.revision,
            "environment_id": config.environment.id,
            "catalogue_version": config.catalogue_version,
            "rules_version": RULES_VERSION,
            "app_version": __version__,
            "estimate_tokens": self.count.total if self.count else estimate(self.size),
            "estimate_source": self.count.source if self.count else SOURCE_BYTES,
        }
        if self.resolution is not None:
            row |= _resolved(self.resolution)
        if self.reason:
            row["reason"] = self.reason
        return finish_row(DECISION, row)

    def attempt_rows(self, attempts: list[AttemptRecord]) -> list[tuple[str, Row]]:
        """The tries as stored."""
        return [(ATTEMPT, _attempt_row(self, attempt)) for attempt in attempts]

    def outcome_row(self, ending: Ending) -> Row:
        """The outcome as stored."""
        usage = ending.usage or Usage()
        served = ending.rung
        values = {
            "id": new_id(),
            "decision_at": self.decision_at,
            "decision_id": self.id,
            "ended_at": datetime.now(UTC),
            "origin": ORIGIN_SERVER,
            "result": ending.result.value,
            "status": ending.status,
            "error_type": ending.error_type,
            "error_code": ending.error_code,
            "error_param": ending.error_param,
            "model_served": (served.model or "") if served else "",
            "upstream_served": served.upstream if served else "",
            "endpoint_served": (ending.endpoint or self.endpoint) if served else "",
            "calls": ending.calls,
            "fallbacks": ending.fallbacks,
            "finish_reason": word(ending.finish_reason),
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "tokens_source": ending.tokens_source if ending.usage else "",
            "usage": as_json(usage.reported),
            "cost_pico": ending.cost.pico,
            "cost_state": ending.cost.state.value,
            "price_version": ending.cost.price_version,
            "latency_us": self.elapsed_us(),
            "first_byte_us": ending.first_byte_us,
            "overhead_us": ending.overhead_us,
            "bytes_delivered": ending.bytes_delivered,
            "chunks_delivered": ending.chunks_delivered,
        }
        return finish_row(OUTCOME, values)


@dataclass(slots=True)
class Ending:
    """How a decision ended, before it is stored. `status` is the HTTP status that the caller gets.

    `endpoint` is where it was served; empty: where it was asked. `estimated`: `usage` is not what the whole answer used
    by the provider's word, and neither is its cost; `tokens_source` tells who counted.
    """

    result: Result
    status: int | None
    rung: Rung | None = None
    endpoint: str = ""
    error_type: str = ""
    error_code: str = ""
    error_param: str = ""
    calls: int = 0
    fallbacks: int = 0
    finish_reason: str = ""
    usage: Usage | None = None
    tokens_source: str = "provider"
    estimated: bool = False
    cost: Cost = NOTHING_SENT
    first_byte_us: int | None = None
    overhead_us: int | None = None
    bytes_delivered: int | None = None
    chunks_delivered: int | None = None


def _resolved(resolution: Resolution) -> dict[str, Any]:
    inference = resolution.inference
    return {
        "alias": resolution.alias or "",
        "kind": resolution.kind.value if resolution.kind else "",
        "inferred_mode": inference.mode if inference else "",
        "reason": inference.reason if inference else "",
        "features": as_json(inference.features) if inference else "{}",
        "model_resolved": resolution.model,
        "upstream": resolution.upstream,
        "source": resolution.source.value,
        "ladder": as_json([step.as_dict() for step in resolution.ladder]),
        "chain": as_json([rung.as_dict() for rung in resolution.chain]),
    }


def _attempt_row(draft: Draft, attempt: AttemptRecord) -> Row:
    values = {
        "id": new_id(),
        "decision_at": draft.decision_at,
        "decision_id": draft.id,
        "seq": attempt.seq,
        "kind": attempt.kind,
        "rung": attempt.rung,
        "try": attempt.try_number,
        "batch": attempt.batch,
        "alias": attempt.alias,
        "model": attempt.model,
        "upstream": attempt.upstream,
        "endpoint": attempt.endpoint,
        "skip_reason": attempt.skip_reason,
        "changes": as_json(attempt.changes),
        "sent_at": attempt.sent_at,
        "first_byte_us": attempt.first_byte_us,
        "end_us": attempt.end_us,
        "status": attempt.status,
        "error_type": attempt.error_type,
        "error_code": attempt.error_code,
        "error_param": attempt.error_param,
        "upstream_request_id": attempt.upstream_request_id,
        "retry_after_ms": attempt.retry_after_ms,
        "bytes_sent": attempt.bytes_sent,
        "bytes_received": attempt.bytes_received,
        "chunks": attempt.chunks,
    }
    return finish_row(ATTEMPT, values)
