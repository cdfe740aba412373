"""The one statement that sums up cells and raw rows. Names in it are ours; what callers say is its parameters.

PostgreSQL gets the ranges of raw rows as constants, by which it leaves whole months unread and knows how few rows
they have; SQLite goes from segment to segment, as the order of its CROSS JOIN says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from iwrouting.models.usage import MEASURES
from iwrouting.reports.usage.cover import RAW, Segment, buckets, joined
from iwrouting.reports.usage.periods import Period
from iwrouting.reports.usage.question import IS_TEST, PERIOD, PROJECT, RUN, TAG, Question, Source

CELLS = {Source.USAGE: "iwrouting_usagecell", Source.LABELS: "iwrouting_labelcell"}
ROWS = {Source.USAGE: "iw_usage_raw", Source.LABELS: "iw_label_raw", Source.RAW: "iw_usage_raw"}
BUCKETS = {
    "postgresql": "unnest(%s::integer[], %s::integer[], %s::timestamptz[]) AS s(period, width, bucket_at) "
    "CROSS JOIN LATERAL (SELECT * FROM {0} WHERE {0}.width = s.width AND {0}.bucket_at = s.bucket_at{1} OFFSET 0) AS c",
    "sqlite": "(SELECT json_extract(value, '$[0]') AS period, json_extract(value, '$[1]') AS width, "
    "json_extract(value, '$[2]') AS bucket_at FROM json_each(%s)) AS s "
    "CROSS JOIN {0} AS c ON c.width = s.width AND c.bucket_at = s.bucket_at{1}",
}
"""The cells of each bucket, and of one kind of labels, by their index. Without OFFSET 0 PostgreSQL, which takes widths
and times for unrelated, reads all cells that there are."""

RANGES = (
    "(SELECT json_extract(value, '$[0]') AS period, json_extract(value, '$[1]') AS start, "
    "json_extract(value, '$[2]') AS stop FROM json_each(%s)) AS s"
)
"""The raw rows' ranges, for SQLite."""

TAGS = {
    "postgresql": " CROSS JOIN LATERAL (SELECT DISTINCT tag FROM string_to_table(nullif(c.tags, ''), ',') AS tag) AS t",
    "sqlite": " CROSS JOIN json_each("
    """(SELECT json_group_array(DISTINCT value) FROM json_each('["' || replace(c.tags, ',', '","') || '"]')))"""
    " AS t",
}
"""A row for each tag of a raw row; the empty text of one without tags goes by a condition."""

HAS = {"postgresql": "strpos", "sqlite": "instr"}
BINARY = {"postgresql": ' COLLATE "C"', "sqlite": ""}
"""Texts in the same order on both databases: that of their code points."""

Parts = tuple[str, list[Any]]
"""Text, and its parameters."""


def statement(question: Question, periods: Sequence[Period], segments: Sequence[Segment]) -> Parts:
    """The statement and its parameters.

    The first row is 0, how many groups there are, nothing for each name of the group, and the totals of MEASURES; each
    other row is 1, the place of its period, its names, and its measures.
    """
    arms = [*_arms(question, periods, segments)]
    keys = [PERIOD, *(f"d{place}" for place in range(len(question.group)))]
    named, listed = ", ".join(keys), ", ".join(MEASURES)
    sums = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    nothing = "".join(f", NULL AS {key}" for key in keys[1:])
    order = _order(question)
    limit = "" if question.limit is None else f" LIMIT {question.limit:d}"
    text = (
        f"WITH found AS MATERIALIZED (SELECT {named}, {sums} FROM "  # noqa: S608 - names of ours and placeholders
        f"({' UNION ALL '.join(text for text, _ in arms)}) AS parts GROUP BY {named}) "
        f"SELECT * FROM (SELECT 0 AS part, count(*) AS period{nothing}, {sums} FROM found UNION ALL "
        f"SELECT * FROM (SELECT 1 AS part, {named}, {listed} FROM found ORDER BY {order}{limit}) AS first) AS answer "
        f"ORDER BY part, {order}"
    )
    return text, [value for _, values in arms for value in values]


def _order(question: Question) -> str:
    keys = {name: f"d{place}{BINARY[connection.vendor]}" for place, name in enumerate(question.group)}
    keys = {PERIOD: PERIOD, **keys}
    columns = {name: name for name in MEASURES} | keys
    said = [(columns[name.removeprefix("-")], " DESC" if name.startswith("-") else "") for name in question.order]
    return ", ".join([*(f"{column}{way} NULLS LAST" for column, way in said), *keys.values()])


def _arms(question: Question, periods: Sequence[Period], segments: Sequence[Segment]) -> Iterator[Parts]:
    """One for the cells and one for the raw rows, where they have a part of it."""
    cells = [each for each in segments if each.width != RAW]
    rows = [each for each in segments if each.width == RAW]
    if cells:
        kind = (" AND label_kind = %s", [question.label]) if question.source is Source.LABELS else ("", [])
        table = BUCKETS[connection.vendor].format(CELLS[question.source], kind[0])
        yield _arm(question, ("s.period", []), (table, [*_buckets(cells), *kind[1]]), ("TRUE", []))
    if rows or not cells:  # an empty range has neither
        yield _raw(question, periods, rows)


def _raw(question: Question, periods: Sequence[Period], segments: Sequence[Segment]) -> Parts:
    tags = TAGS[connection.vendor] if question.source is Source.RAW and TAG in question.group else ""
    table = f"{ROWS[question.source]} AS c{tags}"
    if connection.vendor == "sqlite":
        within = "c.decision_at >= s.start AND c.decision_at < s.stop"
        stretches = json.dumps([[each.period, _text(each.start), _text(each.end)] for each in segments])
        return _arm(question, ("s.period", []), (f"{RANGES} CROSS JOIN {table}", [stretches]), (within, []))
    ranges = joined((each.start, each.end) for each in segments)
    within = " OR ".join(["(c.decision_at >= %s AND c.decision_at < %s)"] * len(ranges)) or "FALSE"
    period = "width_bucket(c.decision_at, %s::timestamptz[]) - 1"
    starts = [each.start for each in periods]
    return _arm(question, (period, [starts]), (table, []), (f"({within})", [at for pair in ranges for at in pair]))


def _arm(question: Question, period: Parts, table: Parts, within: Parts) -> Parts:
    columns = _columns(question)
    names = "".join(f", {columns[name]} AS d{place}" for place, name in enumerate(question.group))
    conditions = [within, *_conditions(question, columns)]
    text = (
        f"SELECT {period[0]} AS period{names}, {', '.join(f'c.{name}' for name in MEASURES)} "  # noqa: S608 - as above
        f"FROM {table[0]} WHERE {' AND '.join(text for text, _ in conditions)}"
    )
    return text, [*period[1], *table[1], *(value for _, values in conditions for value in values)]


def _columns(question: Question) -> dict[str, str]:
    names = {name: f"c.{name}" for name in (*question.group, *question.filters, PROJECT)}
    if question.source is Source.LABELS:
        return names | {question.label: "c.label"}
    return names | {RUN: "c.run_id", TAG: "t.value" if connection.vendor == "sqlite" else "t.tag"}


def _conditions(question: Question, columns: dict[str, str]) -> Iterator[Parts]:
    if question.is_test is not None:
        yield f"c.{IS_TEST} = %s", [question.is_test]
    if question.projects is not None:
        yield _one_of(columns[PROJECT], [*question.projects])
    if question.source is Source.LABELS:
        yield "c.label_kind = %s", [question.label]
    elif question.source is Source.RAW:
        yield from (
            (f"c.{column} <> ''", []) for name, column in ((RUN, "run_id"), (TAG, "tags")) if name in question.group
        )
    for name, values in question.filters.items():
        if name == TAG and question.source is Source.RAW and TAG not in question.group:
            has = f"{HAS[connection.vendor]}(',' || c.tags || ',', %s) > 0"
            yield f"({' OR '.join([has] * len(values)) or '1 = 0'})", [f",{value}," for value in values]
        else:
            yield _one_of(columns[name], [*values])


def _one_of(column: str, values: list[str]) -> Parts:
    return (f"{column} IN ({', '.join(['%s'] * len(values))})" if values else "1 = 0"), values


def _buckets(segments: Sequence[Segment]) -> list[Any]:
    """The parameters of BUCKETS."""
    found = [(each.period, each.width, at) for each in segments for at in buckets(each)]
    if connection.vendor == "postgresql":
        return [list(column) for column in zip(*found, strict=True)]
    return [json.dumps([(period, width, _text(at)) for period, width, at in found])]


def _text(at: datetime) -> str:
    """As SQLite's columns have it."""
    return str(connection.ops.adapt_datetimefield_value(at))
