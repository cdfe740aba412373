"""The durable record: ids, rows, and the one writer of a process (design.md 6)."""

from __future__ import annotations

from iwrouting.audit.held import REPEATED, find_held, usage_recorded
from iwrouting.audit.ids import decision_time, new_id, new_id_at
from iwrouting.audit.journal.journal import Place
from iwrouting.audit.rows import ATTEMPT, BREAKER, DECISION, HELD, LATE_USAGE, OUTCOME, Row, as_json, finish_row
from iwrouting.audit.tamper.chain import AuditKey, make_key
from iwrouting.audit.writing.budget import Claim, Reserve, Settle, Verdict
from iwrouting.audit.writing.heartbeat import Facts, Mode
from iwrouting.audit.writing.stores import open_store
from iwrouting.audit.writing.storing import Rows
from iwrouting.audit.writing.units import Bounds
from iwrouting.audit.writing.writer import Writer

__all__ = [
    "ATTEMPT",
    "AuditKey",
    "BREAKER",
    "Bounds",
    "Claim",
    "DECISION",
    "Facts",
    "HELD",
    "LATE_USAGE",
    "Mode",
    "OUTCOME",
    "Place",
    "REPEATED",
    "Reserve",
    "Row",
    "Rows",
    "Settle",
    "Verdict",
    "Writer",
    "as_json",
    "decision_time",
    "find_held",
    "finish_row",
    "make_key",
    "new_id",
    "new_id_at",
    "open_store",
    "usage_recorded",
]
