"""Decisions and outcomes as the service would have written them, many and fast, for measuring the what-if."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Field
from django.utils import timezone

from iwrouting.audit import DECISION, OUTCOME, Row, as_json, finish_row
from iwrouting.models import Decision, Outcome
from iwrouting.pricing import cost
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.snapshot import load
from iwrouting.types import Configuration, Inference, Resolution, Usage

BATCH = 5_000
REASON = "code-heavy: 2 fences, 41 lines"
FEATURES = {"messages": 4, "chars": 1830, "words": 312, "lines": 41, "code_fences": 2, "history_code": 1}


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, and what the resolver answered."""

    project: str
    asked: str
    endpoint: str
    resolution: Resolution


def calls_of(config: Configuration, projects: Sequence[str], now: datetime) -> list[Call]:
    """One call of every alias for every project; `auto` was taken for one of its modes."""
    found = []
    for number, (project, name) in enumerate((project, name) for project in projects for name in config.aliases):
        mode = Inference(("fast", "deep", "code")[number % 3], REASON, FEATURES) if name == "auto" else None
        resolution = resolve(config, name, project=project, now=now, inference=mode)
        found.append(Call(project, name, endpoint_for(config, name) or "chat", resolution))
    return found


def rows(config: Configuration, count: int, end: datetime, days: int, projects: int) -> Iterator[tuple[Row, Row]]:
    """Pairs of a decision and its outcome, oldest first, spread evenly over the days before `end`."""
    dice = random.Random(1)  # noqa: S311 - the same rows each time
    calls = calls_of(config, [f"project-{number}" for number in range(projects)], end)
    texts = {
        id(call): (
            as_json([s.as_dict() for s in call.resolution.ladder]),
            as_json([r.as_dict() for r in call.resolution.chain]),
        )
        for call in calls
    }
    step = timedelta(days=days) / count
    for number in range(count):
        call = dice.choice(calls)
        at = end - timedelta(days=days) + number * step
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        yield decision(config, call, texts[id(call)], at, number), outcome(config, call, at, number, dice)


def ident(at: datetime, number: int, table: int) -> str:
    """A UUIDv7 of a time, the same for the same row."""
    text = f"{(int(at.timestamp() * 1000) << 80) | (7 << 76) | (table << 64) | (2 << 62) | number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def decision(config: Configuration, call: Call, texts: tuple[str, str], at: datetime, number: int) -> Row:
    """The decision of a call."""
    found = call.resolution
    inference = found.inference
    return finish_row(
        DECISION,
        {
            "id": ident(at, number, 1),
            "decision_at": at,
            "writer_id": "bench",
            "writer_seq": 2 * number + 1,
            "chain_hash": "0" * 64,
            "project": call.project,
            "key_id": f"key{number % 40:07d}",
            "request_id": ident(at, number, 3),
            "alias": found.alias or "",
            "kind": found.kind or "",
            "inferred_mode": inference.mode if inference else "",
            "reason": inference.reason if inference else "",
            "features": as_json(inference.features) if inference else "{}",
            "endpoint": call.endpoint,
            "is_stream": number % 2 == 0,
            "model_asked": call.asked,
            "model_resolved": found.model,
            "upstream": found.upstream,
            "source": found.source.value,
            "ladder": texts[0],
            "chain": texts[1],
            "warnings": as_json(found.warnings),
            "revision": config.revision,
            "environment_id": config.environment.id,
            "catalogue_version": config.catalogue_version,
            "rules_version": "1",
            "app_version": "0.1.0",
            "estimate_tokens": 900,
            "estimate_source": "bytes",
        },
    )


def outcome(config: Configuration, call: Call, at: datetime, number: int, dice: random.Random) -> Row:
    """Its outcome: one in fifty failed."""
    model, failed = call.resolution.model, number % 50 == 0
    prompt = int(dice.lognormvariate(7.5, 1.3))
    answer = int(dice.lognormvariate(5.5, 1))
    usage = Usage(prompt, dice.choice((0, 0, prompt // 2)), None, answer, min(dice.choice((0, 64)), answer))
    priced = cost(None if failed else usage, config.prices.get(model, ()), at)
    reported = {
        "prompt_tokens": prompt,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": 0,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }
    told: dict[str, Any] = (
        {}
        if failed
        else {
            "model_served": model,
            "upstream_served": call.resolution.upstream,
            "endpoint_served": call.endpoint,
            "prompt_tokens": prompt,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "tokens_source": "provider",
            "usage": as_json(reported),
            "finish_reason": ("stop", "stop", "tool_calls")[number % 3],
        }
    )
    return finish_row(
        OUTCOME,
        {
            "id": ident(at, number, 2),
            "decision_at": at,
            "decision_id": ident(at, number, 1),
            "writer_id": "bench",
            "writer_seq": 2 * number + 2,
            "chain_hash": "0" * 64,
            "ended_at": at + timedelta(seconds=1),
            "origin": "server",
            "result": "error" if failed else "ok",
            "status": 502 if failed else 200,
            "calls": 1,
            "cost_pico": priced.pico,
            "cost_state": priced.state.value,
            "price_version": priced.price_version,
            "latency_us": 812_345,
            **told,
        },
    )


def store(pairs: Iterator[tuple[Row, Row]]) -> None:
    """Write them, and let the database look at its tables."""
    batch: list[tuple[Row, Row]] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == BATCH:
            _write(batch)
            batch = []
    _write(batch)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _write(batch: Sequence[tuple[Row, Row]]) -> None:
    for model, found in ((Decision, [pair[0] for pair in batch]), (Outcome, [pair[1] for pair in batch])):
        fields: list[Field[Any, Any]] = list(model._meta.concrete_fields)
        values = [[field.get_db_prep_save(row[str(field.column)], connection) for field in fields] for row in found]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
                    for line in values:
                        copy.write_row(line)
            else:
                marks = ", ".join(["%s"] * len(fields))
                cursor.executemany(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks})", values)  # noqa: S608


def fill(count: int, days: int) -> None:
    """Write so many decisions of the last days. Raises SystemExit where the audit is not empty."""
    if Decision.objects.exists():
        raise SystemExit("The audit is not empty: name a database of its own.")
    with transaction.atomic():
        store(rows(load(), count, timezone.now(), days, projects=20))
