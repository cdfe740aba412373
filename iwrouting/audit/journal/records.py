"""Units as bytes of the journal, and back; also those that another release wrote.

A record is JSON: `{"units": [{"rows": [[table, row], ...], "settle": [project, run, decision, tokens]}]}`; times are
ISO 8601 in UTC, as they were hashed. Columns that a later release added get their defaults.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from iwrouting.audit.rows import BLANK, TIMES, Row
from iwrouting.audit.writing.budget import Settle
from iwrouting.audit.writing.quarantine import quarantined, withdrawn
from iwrouting.audit.writing.units import Unit

UNKNOWN_COLUMNS = "unknown_columns"
TRIAL_BYTES = 16_000
UNWRITABLE = "unwritable"


class UnreadableRecord(Exception):
    """A whole record that is none of ours."""


def encode(units: Iterable[Unit]) -> bytes:
    """The record of numbered units. A row that JSON can't hold stands in it as one for the quarantine."""
    written = [_written(unit) for unit in units]
    try:
        return orjson.dumps({"units": written}, option=orjson.OPT_UTC_Z)
    except TypeError:
        for unit in written:
            unit["rows"] = [_writable(table, row) for table, row in unit["rows"]]
        return orjson.dumps({"units": written}, option=orjson.OPT_UTC_Z)


def _writable(table: str, row: Row) -> tuple[str, Row]:
    try:
        orjson.dumps(row)
    except TypeError as error:
        return quarantined(table, row, UNWRITABLE, str(error))
    return table, row


def _written(unit: Unit) -> dict[str, Any]:
    rows = [*unit.rows, *(unit.if_refused if unit.is_refused else withdrawn(unit))]
    claim = unit.claim
    settle = [*claim.key, claim.decision_id, claim.tokens] if isinstance(claim, Settle) else None
    return {"rows": rows, "settle": settle}


def trial() -> bytes:
    """A record of no units, about as long as others: whether it can be written shows whether they can."""
    return orjson.dumps({"units": [], "padding": " " * TRIAL_BYTES})


def decode(payload: bytes) -> list[Unit]:
    """The units of a record. Raises UnreadableRecord."""
    try:
        return [_read(unit) for unit in orjson.loads(payload)["units"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableRecord(type(error).__name__) from error


def _read(written: dict[str, Any]) -> Unit:
    rows = [_read_row(table, row) for table, row in written["rows"]]
    settle = None
    if written["settle"] is not None:
        project, run, decision_id, tokens = written["settle"]
        settle = Settle((project, run), decision_id, tokens)
    # Nobody knows whether it was stored already: an answer may have been lost, or an earlier replay cut short.
    return Unit(rows, claim=settle, again=True)


def _read_row(table: str, row: Row) -> tuple[str, Row]:
    blank = BLANK.get(table)
    if blank is None or row.keys() - blank.keys():
        return quarantined(table, row, UNKNOWN_COLUMNS, "written by another release")
    for column in TIMES[table]:
        if row.get(column) is not None:
            row[column] = datetime.fromisoformat(row[column])
    return table, {**blank, **row}
