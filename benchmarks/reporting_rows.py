"""Millions of plausible decisions on PostgreSQL, made by the database itself: for measuring reports and lists.

What can be asked is resolved by the one resolver for each project and alias; which of it each call asks, how long it
takes and what it uses comes from a hash of its number, so that the same numbers give the same rows. Days are busier
than nights, a few projects and aliases have most of the traffic, 3 calls in 100 fall back, 1 fails.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from benchmarks.what_if_rows import Call, calls_of
from iwrouting.audit import as_json
from iwrouting.models import Alias, Decision, Override, Project, change
from iwrouting.pricing import price_in_force
from iwrouting.snapshot import load
from iwrouting.types import Configuration, PriceFacts, Via

CHUNK = 500_000
TABLES = ("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome")
OVERRIDES = {"project-1": "gpt-5.1", "project-3": "gpt-4.1", "project-7": "gpt-4.1-mini"}
"""A strong model for a small task, and others: what somebody has to find in the reports."""

TEMPLATES = """
CREATE TEMPORARY TABLE template (
    number integer PRIMARY KEY, project text, alias text, kind text, mode text, reason text, features text,
    endpoint text, model text, upstream text, source text, ladder text, chain text, warnings text, next_model text,
    input_pico bigint, cached_pico bigint, output_pico bigint, price text,
    next_input_pico bigint, next_cached_pico bigint, next_output_pico bigint, next_price text
)
"""

# One row a call. `dice` are hashes of its number in [0, 1); the time is bent so that a day has a busy half.
CALLS = """
CREATE TEMPORARY TABLE bench_call ON COMMIT DROP AS
SELECT d.*, t.*,
    (lpad(to_hex(d.ms), 12, '0') || '70018000' || lpad(to_hex(d.n), 12, '0'))::uuid AS id,
    timestamptz 'epoch' + d.ms * interval '1 millisecond' AS at,
    t.next_model <> '' AND d.luck < 0.03 AS has_fallback,
    d.luck > 0.99 AS has_failed
FROM (
    SELECT n,
        (%(begin_ms)s + 86400000 * (floor(u) + (u - floor(u)) + 0.11 * sin(2 * pi() * (u - floor(u)))))::bigint AS ms,
        luck, sort, place, size, length
    FROM (
        SELECT n, n * %(days)s::float8 / %(count)s AS u,
            (hashint8extended(n, 1) & 1048575) / 1048576::float8 AS luck,
            (hashint8extended(n, 2) & 1048575) / 1048576::float8 AS sort,
            (hashint8extended(n, 3) & 1048575) / 1048576::float8 AS place,
            (hashint8extended(n, 4) & 1048575) / 1048576::float8 AS size,
            (hashint8extended(n, 5) & 1048575) / 1048576::float8 AS length
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    ) AS spread
) AS d
JOIN template AS t ON t.number
    = floor(power(d.place, 2) * %(projects)s)::integer * %(aliases)s + floor(power(d.sort, 1.6) * %(aliases)s)::integer
"""

DECISIONS = """
INSERT INTO iwrouting_decision (
    id, decision_at, writer_id, writer_seq, chain_hash, project, project_external_id, key_id, request_id, run_id, tags,
    alias, kind, inferred_mode, reason, features, endpoint, is_stream, is_test, model_asked, model_resolved, upstream,
    source, ladder, chain, warnings, revision, environment_id, catalogue_version, rules_version, app_version,
    estimate_tokens, estimate_source)
SELECT id, at, 'bench', 2 * n + 1, '', project, '', 'key' || lpad((hashint8extended(n, 6) & 1)::text
        || substr(project, 9), 7, '0'), 'bench-' || n,
    CASE WHEN kind = 'role' AND size < 0.8 THEN 'run-' || project || '-' || n / 20000 ELSE '' END,
    CASE WHEN length < 0.1 THEN '["nightly"]' WHEN length < 0.2 THEN '["team:blue","beta"]' ELSE '[]' END,
    alias, kind, mode, reason, features, endpoint, n %% 2 = 0 AND endpoint <> 'embeddings', luck BETWEEN 0.5 AND 0.505,
    alias, model, upstream, source, ladder, chain, warnings, %(revision)s, %(environment)s, %(catalogue)s, '1', '0.1.0',
    (exp(5 + 4 * size))::bigint, 'bytes'
FROM bench_call
"""

ATTEMPTS = """
INSERT INTO iwrouting_attempt (
    id, decision_at, writer_id, writer_seq, chain_hash, decision_id, seq, kind, rung, try, alias, model, upstream,
    endpoint, skip_reason, changes, sent_at, first_byte_us, end_us, status, error_type, error_code, error_param,
    upstream_request_id, bytes_sent, bytes_received)
SELECT (lpad(to_hex(ms), 12, '0') || '70' || lpad((seq + 1)::text, 2, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
    at, 'bench', 4 * n + seq, '', id, seq, 'call', seq - 1, 1, CASE WHEN seq = 1 THEN alias ELSE 'auto' END,
    CASE WHEN seq = 1 THEN model ELSE next_model END, upstream, endpoint, '', '[]', at + interval '2 milliseconds',
    CASE WHEN is_bad THEN NULL ELSE 250000 END, 260000 + (2e6 * length)::bigint, CASE WHEN is_bad THEN 503 ELSE 200 END,
    CASE WHEN is_bad THEN 'server_error' ELSE '' END, CASE WHEN is_bad THEN 'overloaded' ELSE '' END, '',
    'req-' || n || '-' || seq, 4000, 1500
FROM bench_call
CROSS JOIN LATERAL (
    SELECT seq, has_failed OR (has_fallback AND seq = 1) AS is_bad
    FROM generate_series(1, CASE WHEN has_fallback THEN 2 ELSE 1 END) AS seq
) AS tries
WHERE has_fallback OR has_failed OR %(all_attempts)s
"""

OUTCOMES = """
INSERT INTO iwrouting_outcome (
    id, decision_at, writer_id, writer_seq, chain_hash, decision_id, ended_at, origin, result, status, error_type,
    error_code, error_param, model_served, upstream_served, endpoint_served, calls, fallbacks, finish_reason,
    prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, tokens_source, usage, cost_pico, cost_state,
    price_version, latency_us, first_byte_us, overhead_us, bytes_delivered, chunks_delivered)
SELECT (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    at, 'bench', 2 * n + 2, '', id, at + latency_us * interval '1 microsecond', 'server',
    CASE WHEN has_failed THEN 'error' WHEN has_fallback THEN 'ok_after_fallback' ELSE 'ok' END,
    CASE WHEN has_failed THEN 503 ELSE 200 END, CASE WHEN has_failed THEN 'upstream_error' ELSE '' END,
    CASE WHEN has_failed THEN 'all_candidates_failed' ELSE '' END, '',
    CASE WHEN has_failed THEN '' WHEN has_fallback THEN next_model ELSE model END,
    CASE WHEN has_failed THEN '' ELSE upstream END, CASE WHEN has_failed THEN '' ELSE endpoint END,
    CASE WHEN has_fallback THEN 2 ELSE 1 END, CASE WHEN has_fallback THEN 1 ELSE 0 END,
    CASE WHEN has_failed THEN '' ELSE 'stop' END, prompt, cached, answer, reasoning,
    CASE WHEN has_failed THEN '' ELSE 'provider' END, '{}', pico,
    CASE WHEN has_failed THEN 'unpriced' WHEN pico IS NULL THEN 'unpriced' ELSE 'exact' END,
    CASE WHEN pico IS NULL THEN '' WHEN has_fallback THEN next_price ELSE price END,
    latency_us, 250000, 900 + (400 * luck)::bigint, 1500, CASE WHEN n % 2 = 0 THEN 40 END
FROM (
    SELECT *, 262000 + (2e6 * length)::bigint AS latency_us,
        CASE WHEN NOT has_failed THEN
            CASE WHEN has_fallback
                THEN (prompt - cached) * next_input_pico + cached * next_cached_pico + answer * next_output_pico
                ELSE (prompt - cached) * input_pico + cached * cached_pico + answer * output_pico END
        END AS pico
    FROM (
        SELECT *, CASE WHEN NOT has_failed THEN (exp(5 + 4 * size))::bigint END AS prompt,
            CASE WHEN NOT has_failed THEN
                CASE WHEN sort < 0.3 THEN (exp(5 + 4 * size))::bigint / 2 ELSE 0 END END AS cached,
            CASE WHEN NOT has_failed AND endpoint <> 'embeddings' THEN (exp(3 + 4 * length))::bigint
                WHEN NOT has_failed THEN 0 END AS answer,
            CASE WHEN NOT has_failed THEN 0 END AS reasoning
        FROM bench_call
    ) AS used
) AS priced
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many decisions, over so many days before `end`.

    `is_lean`: without ladders, chains and the attempts of calls that went well, which is half the disk.
    """

    count: int
    days: int
    end: datetime
    projects: int = 20
    is_lean: bool = False


def fill(wanted: Wanted) -> None:
    """Write them, with projects and overrides. Raises SystemExit for another kind of database, or one that has any.

    Indexes are made afterwards. The triggers that mark new rows are off meanwhile: all quarters are marked at the end.
    """
    if connection.vendor != "postgresql" or Decision.objects.exists():
        raise SystemExit("An empty database of PostgreSQL is needed: name one of its own by DATABASE_URL.")
    make_projects(wanted.projects)
    config = load()
    with connection.cursor() as cursor:
        indexes = _without_indexes()
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER iw_usage_marked")
    _months(wanted)
    _templates(config, wanted)
    for first in range(0, wanted.count, CHUNK):
        _chunk(config, wanted, first, min(first + CHUNK, wanted.count) - 1)
        _say(f"{min(first + CHUNK, wanted.count):,} of {wanted.count:,} decisions")
    _finish(indexes)


def make_projects(count: int) -> None:
    """Projects, and some overrides."""
    with change(author="bench", via=Via.CLI, reason="rows for measuring"):
        rows = {slug: Project.objects.create(slug=slug, name=slug) for slug in map("project-{}".format, range(count))}
        for slug, model in OVERRIDES.items():
            Override.objects.create(alias=Alias.objects.get(name="summary"), project=rows[slug], model=model)


def _months(wanted: Wanted) -> None:
    """The partitions of the time before now: a migration makes those from now on."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "SELECT iw_audit_make_partition(%s, day::date) FROM generate_series(%s::date, %s::date, '1 day') AS day",  # noqa: E501
                [table, wanted.end - timedelta(days=wanted.days), wanted.end],
            )


def _templates(config: Configuration, wanted: Wanted) -> None:
    calls = calls_of(config, [f"project-{number}" for number in range(wanted.projects)], wanted.end)
    # The busiest aliases first: the place of an alias is how often it is asked for.
    calls.sort(key=lambda call: (int(call.project.split("-")[1]), call.asked != "auto", call.asked != "summary"))
    with connection.cursor() as cursor:
        cursor.execute(TEMPLATES)
        for number, call in enumerate(calls):
            row: list[str | int | None] = [number, *_template(config, call, wanted)]
            cursor.execute(f"INSERT INTO template VALUES ({', '.join(['%s'] * len(row))})", row)  # noqa: S608
        cursor.execute("ANALYZE template")


def _template(config: Configuration, call: Call, wanted: Wanted) -> Iterator[str | int | None]:
    found = call.resolution
    rungs = [rung.model for rung in found.chain if rung.model and rung.model != found.model]
    yield from (call.project, call.asked, found.kind or "")
    yield found.inference.mode if found.inference else ""
    yield found.inference.reason if found.inference else ""
    yield as_json(found.inference.features) if found.inference else "{}"
    yield from (call.endpoint, found.model, found.upstream, found.source.value)
    yield "[]" if wanted.is_lean else as_json([step.as_dict() for step in found.ladder])
    yield "[]" if wanted.is_lean else as_json([rung.as_dict() for rung in found.chain])
    yield as_json(found.warnings)
    yield rungs[0] if rungs else ""
    for model in (found.model, rungs[0] if rungs else found.model):
        price = price_in_force(config.prices.get(model, ()), wanted.end)
        yield from _prices(price) if price else (None, None, None, "")


def _prices(price: PriceFacts) -> tuple[int | None, int | None, int | None, str]:
    cached = price.input_pico if price.cached_pico is None else price.cached_pico
    return price.input_pico, cached, price.output_pico, price.label


def _chunk(config: Configuration, wanted: Wanted, first: int, last: int) -> None:
    begin = wanted.end - timedelta(days=wanted.days)
    told: dict[str, str | int] = {
        "revision": config.revision,
        "environment": config.environment.id,
        "catalogue": config.catalogue_version,
    }
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        numbers = {
            "first": first,
            "last": last,
            "count": wanted.count,
            "days": wanted.days,
            "projects": wanted.projects,
            "aliases": len(config.aliases),
            "begin_ms": int(begin.timestamp() * 1000),
        }
        cursor.execute(CALLS, numbers)
        cursor.execute(DECISIONS, told)
        cursor.execute(ATTEMPTS, {"all_attempts": not wanted.is_lean})
        cursor.execute(OUTCOMES)
        cursor.execute("COMMIT")


def _without_indexes() -> list[str]:
    """Drop the indexes that no key needs; gives the statements that make them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes AS i WHERE i.tablename = ANY(%s) "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)",
            [list(TABLES)],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [statement.replace(" ON ONLY ", " ON ") for _, statement in found]


def _finish(indexes: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in indexes:
            _say(statement.partition(" USING")[0])
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER iw_usage_marked")
        cursor.execute(
            "INSERT INTO iwrouting_usagemark (bucket_at) "
            "SELECT DISTINCT date_bin('15 minutes', decision_at, '2000-01-01 00:00:00+00') FROM iwrouting_decision"
        )
        _say("VACUUM ANALYZE")
        cursor.execute("VACUUM ANALYZE")


_BEGAN = time.monotonic()


def _say(line: str) -> None:
    print(f"{time.monotonic() - _BEGAN:7.0f} s  {line}", file=sys.stderr)
