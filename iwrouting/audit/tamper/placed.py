"""A row with its place in a writer's chain, and what its hash covers. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from iwrouting.audit.tamper.chain import HASH, canonical
from iwrouting.models import Attempt, Decision, Outcome, QuarantinedRow

DECISION = Decision._meta.db_table
QUARANTINE = QuarantinedRow._meta.db_table
AUDITED = (DECISION, Attempt._meta.db_table, Outcome._meta.db_table)
CHAINED = (*AUDITED, QUARANTINE)
"""The tables through which a writer's chain goes."""

MOST_JSON = 100_000
"""So many characters of a row at most are kept in quarantine."""

Values = dict[str, Any]


class Placed(NamedTuple):
    """A row with its number in its writer's chain."""

    number: int
    table: str
    values: Values


def is_quarantined(row: Placed) -> bool:
    """Whether it stands in quarantine."""
    return row.table == QUARANTINE


def is_cut(row: Placed) -> bool:
    """Whether it stands in quarantine with only the beginning of its contents, from which no hash can be computed."""
    return is_quarantined(row) and len(str(row.values["row"])) >= MOST_JSON


def covered_by(row: Placed) -> bytes | None:
    """What its hash covers; None for values that no writer stores. In quarantine: of the row that it stands for."""
    table, values = row.table, row.values
    try:
        if is_quarantined(row):
            table, values = values["table_name"], orjson.loads(values["row"])
            if any(values[name] != row.values[name] for name in ("writer_id", "writer_seq", HASH)):
                return None
        return canonical(table, values)
    except (TypeError, ValueError, KeyError):
        return None
