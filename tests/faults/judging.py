"""What holds for every call of the matrix, whatever its row: one decision, one outcome, three ledgers that agree."""

from __future__ import annotations

import re
from typing import Any

from tests.faults.cases import ANSWER, NEXT
from tests.faults.driving import Call, said, told
from tests.faults.matrix import BEHIND
from tests.faults.modes import QUESTION
from tests.live.ledger import Record
from tests.live.live import agree

KEY = "sk-sandbox"
RESULTS = {ANSWER: "ok", NEXT: "ok_after_fallback"}


def judge(call: Call, record: Record, sent: list[dict[str, Any]], deadline_s: float) -> None:
    """Assert it. `sent` is the sandbox's log; `deadline_s` what a call may take at most."""
    answer = told(call)
    assert record.outcome.result == RESULTS.get(answer, "truncated" if answer.startswith("error event") else "error")
    assert (record.outcome.latency_us or 0) < (deadline_s + 1) * 1_000_000
    assert KEY not in call.got.data.decode("latin-1")
    assert record.decision.model_asked == call.asked
    agree(record, sent)
    classes(record)
    call.cell.case.check(call.got, answer == NEXT)
    if answer in RESULTS:
        whole_answer(call, answer)
    elif call.got.status != 200:
        refused(call, record)
    else:
        broken(call, record)


def classes(record: Record) -> None:
    """Every try that failed has a type; the one that served has neither type nor code."""
    *failed, last = record.calls
    assert all(attempt.error_type for attempt in failed)
    assert bool(last.error_type) == (record.outcome.result not in RESULTS.values())
    assert last.error_type or not last.error_code


def whole_answer(call: Call, answer: str) -> None:
    """The whole text of the model that the headers name, and of no other."""
    if call.cell.mode.chained and not call.cell.case.asked:
        model = BEHIND if answer == NEXT else call.cell.model("chain" if call.asked == call.cell.alias else "alone")
        assert said(call) == f"sandbox: {model} heard {len(QUESTION.split())} words: {QUESTION}"
    assert call.got.headers["x-iw-fallback"] == ("1" if answer == NEXT else "0")


def refused(call: Call, record: Record) -> None:
    """An error in OpenAI's shape that no SDK repeats, and the same code in the audit."""
    error = call.got.error
    assert {"message", "type", "param", "code"} <= set(error)
    assert call.got.headers["x-should-retry"] == "false"
    assert (record.outcome.status, record.outcome.error_code) == (call.got.status, error["code"] or "")
    assert record.outcome.error_type == error["type"]


def broken(call: Call, record: Record) -> None:
    """The beginning of the text, then an error event that names the decision, and no terminal marker."""
    assert not re.search(rb"\[DONE\]|response\.completed|response\.incomplete", call.got.body)
    assert said(call).startswith("sandbox:")
    assert str(record.decision.id).encode() in call.got.body.rpartition(b"\n\ndata: ")[2]
    assert record.outcome.cost_state != "priced"
