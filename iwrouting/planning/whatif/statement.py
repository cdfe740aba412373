"""The one statement by which recorded calls are read in groups, for PostgreSQL and SQLite alike."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from iwrouting.models import Decision, Outcome
from iwrouting.planning.whatif.splits import Splits
from iwrouting.pricing import INCLUDED
from iwrouting.types import HOSTED_CALLS, Endpoint

LATE_USAGE = "responses.usage"
"""Decisions that carry the usage of an earlier call: tokens and cost, and no call of their own."""

RESOLVE = "resolve"
ENDPOINTS = (*Endpoint, LATE_USAGE, RESOLVE)
TOOL_ENDS = "('tool_calls', 'function_call')"

SINGLE = 9_000_000
"""A call with more tokens is a group of its own: no price of a token times fewer exceeds the audit's column."""

NO_USAGE, UNCOVERED, IMPLAUSIBLE = 0, 1, 2
"""Of `shape`: no tokens are recorded; some have prices of their own; the counts contradict each other."""

NO_COMPLETION = 4
"""In `shape`: the answer's tokens are not recorded."""

MILLION = 1_000_000
"""Costs are summed in two parts: a sum of more than 9.2 million dollars would not fit in 64 bits."""

TOKENS = ("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens")
COST = [f"COALESCE(SUM(cost_pico {sign} {MILLION}), 0)" for sign in ("/", "%%")]
KEYS = (
    "project, key_id, model_asked, inferred_mode, endpoint, model_resolved, served, result, state, price_version, "
    "shape, input_from, whole_from, output_from, used_tools, read_images, single"
)
STATEMENT = """
SELECT {keys}{ident}, COUNT(*), {sums}, MAX(decision_at)
FROM (
    SELECT
        d.id, d.decision_at, d.project, {key} AS key_id, d.model_asked, d.inferred_mode, d.endpoint, d.model_resolved,
        COALESCE(o.model_served, '') AS served,
        CASE WHEN o.result IN ('refused', 'resolved') THEN o.result ELSE '' END AS result,
        COALESCE(o.cost_state, '') AS state,
        COALESCE(o.price_version, '') AS price_version,
        {shape} AS shape,
        {input} AS input_from,
        {whole} AS whole_from,
        {output} AS output_from,
        {tools} AS used_tools,
        {images} AS read_images,
        CASE WHEN o.prompt_tokens + COALESCE(o.completion_tokens, 0) > {single} THEN {id} ELSE '' END AS single,
        o.prompt_tokens, o.cached_tokens, o.cache_write_tokens, o.completion_tokens, o.reasoning_tokens, o.cost_pico
    {joined}{names}
) AS found
GROUP BY {keys}{ident}
"""
JOINED = """FROM {decisions} AS d
LEFT JOIN {outcomes} AS o
    ON o.decision_id = d.id AND o.decision_at = d.decision_at
    AND o.decision_at >= %s AND o.decision_at < %s AND o.decision_id >= %s AND o.decision_id < %s
    AND (o.origin = 'server' OR NOT EXISTS (
        SELECT 1 FROM {outcomes} AS s
        WHERE s.decision_id = o.decision_id AND s.decision_at = o.decision_at AND s.origin = 'server'
            AND s.decision_at >= %s AND s.decision_at < %s AND s.decision_id >= %s AND s.decision_id < %s
    ))
WHERE d.decision_at >= %s AND d.decision_at < %s AND d.id >= %s AND d.id < %s AND d.endpoint IN {endpoints}"""
SHAPE = """CASE
            WHEN o.prompt_tokens IS NULL THEN 0
            WHEN o.cost_state = 'unpriced' AND ({uncovered}) THEN 1
            WHEN COALESCE(o.reasoning_tokens, 0) > COALESCE(o.completion_tokens, 0)
                OR COALESCE(o.cached_tokens, 0) + COALESCE(o.cache_write_tokens, 0) > o.prompt_tokens THEN 2
            ELSE 64 + CASE WHEN o.completion_tokens IS NULL THEN 4 ELSE 0 END
                + CASE WHEN o.completion_tokens > 0 THEN 8 ELSE 0 END
                + CASE WHEN o.cached_tokens > 0 THEN 16 ELSE 0 END
                + CASE WHEN o.cache_write_tokens > 0 THEN 32 ELSE 0 END
                + CASE WHEN COALESCE(o.cached_tokens, 0) + COALESCE(o.cache_write_tokens, 0) < o.prompt_tokens
                    THEN 1 ELSE 0 END
        END"""


COUNTS = """
SELECT
    COALESCE(d.project, ''), d.model_asked, d.endpoint,
    CASE WHEN o.result IN ('refused', 'resolved') THEN o.result ELSE '' END,
    COALESCE(o.cost_state, ''), COUNT(*), {sums}
{joined}{names}
GROUP BY 1, 2, 3, 4, 5
"""


def counts(splits: Splits) -> str:
    """The statement that counts the calls that the change can't touch. It takes what `statement` takes but the
    `keys`. A plain project would lead SQLite to an index that stands in another order than the rows.
    """
    sums = ", ".join(f"CAST({part} AS bigint)" for part in COST)
    others = _among("model_asked", splits.names, "NOT IN") if splits.names else ""
    return COUNTS.format(sums=sums, joined=_joined(splits.projects), names=others)


def statement(splits: Splits, *, singly: bool = False) -> str:
    """The statement that reads calls in groups.

    It takes the ids of `splits.keys`, then three times the start and the end of a slice of time and the first ids of
    both (rows stand in the order of their ids, and are read and joined in that order), then `projects` and `names`.
    `singly`: each call is a group of its own, its id behind the keys.
    """
    postgresql = connection.vendor == "postgresql"
    sums = [f"COALESCE(SUM({column}), 0)" for column in TOKENS]
    sums += COST
    tokens = "COALESCE(o.prompt_tokens, d.estimate_tokens, 0)"
    answer = "COALESCE(o.completion_tokens, 0)"
    return STATEMENT.format(
        keys=KEYS,
        ident=", id" if singly else "",
        key=_key(splits.keys),
        sums=", ".join(f"CAST({part} AS bigint)" for part in sums),
        shape=SHAPE.format(uncovered=_uncovered("~" if postgresql else "REGEXP")),
        input=_from(tokens, splits.input),
        whole=_from(f"{tokens} + {answer}", splits.whole),
        output=_from(answer, splits.output),
        tools=_flag(f"o.finish_reason IN {TOOL_ENDS}") if splits.tools else "0",
        images=_flag("""d.features LIKE '%%"images":%%'""") if splits.images else "0",
        single=SINGLE,
        id="CAST(d.id AS text)" if postgresql else "d.id",
        joined=_joined(splits.projects),
        names=_among("model_asked", splits.names),
    )


def _joined(projects: Sequence[str] | None) -> str:
    joined = JOINED.format(
        decisions=Decision._meta.db_table,
        outcomes=Outcome._meta.db_table,
        endpoints="({})".format(", ".join(f"'{name}'" for name in ENDPOINTS)),
    )
    return joined + _among("project", projects)


def _among(column: str, values: Sequence[str] | None, verb: str = "IN") -> str:
    if values is None:
        return ""
    return f" AND d.{column} {verb} ({', '.join(['%s'] * len(values))})" if values else " AND 1 = 0"


def _key(keys: Sequence[str]) -> str:
    marks = ", ".join(["%s"] * len(keys))
    return f"CASE WHEN d.key_id IN ({marks}) THEN d.key_id ELSE '' END" if keys else "''"


def _flag(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _from(tokens: str, limits: Sequence[int]) -> str:
    """The fewest tokens that are over the same limits: what is up to the first is 0."""
    if not limits:
        return "0"
    lows = [0, *(limit + 1 for limit in limits)]
    cases = " ".join(f"WHEN {tokens} <= {limit} THEN {low}" for limit, low in zip(limits, lows, strict=False))
    return f"CASE {cases} ELSE {lows[-1]} END"


def _uncovered(matches: str) -> str:
    """Whether something was used that no token price covers (pricing.py): hosted tools, or other classes of tokens.

    The names that are covered are taken out first: expressions that leave names out are slower.
    """
    parts = [f"""o.usage {matches} '"{HOSTED_CALLS}":[1-9]'"""]
    for details, covered in INCLUDED.items():
        rest = "o.usage"
        for name in sorted(covered):
            rest = f"""REPLACE({rest}, '"{name}"', '')"""
        parts.append(f"""{rest} {matches} '"{details}":[{{][^}}]*"[A-Za-z0-9_.:-]+":[1-9]'""")
    return " OR ".join(parts)
