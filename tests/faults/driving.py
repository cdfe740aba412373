"""Drives every cell through the service, all of them side by side, and says what came of each in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.faults.cases import ANSWER, NEXT
from tests.faults.matrix import Cell
from tests.faults.modes import RESPONSES
from tests.live.ledger import Record
from tests.sandbox import raw
from tests.sandbox.raw import Raw

AT_ONCE = 12
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Call:
    """One call of a cell: what was asked for, and what came back."""

    cell: Cell
    asked: str
    got: Raw

    @property
    def decision(self) -> str:
        """The id of its decision."""
        return self.got.headers.get("x-iw-decision-id", "")


def drive(cells: list[Cell], base_url: str, key: str, run: str) -> dict[str, Call]:
    """Every call of every cell, by the name that it asked for."""
    asked = [(cell, cell.alias) for cell in cells if cell.mode.chained]
    asked += [(cell, cell.model("alone")) for cell in cells]

    def one(pair: tuple[Cell, str]) -> Call:
        cell, name = pair
        body = cell.mode.body(name, **cell.case.asked)
        headers = {"authorization": f"Bearer {key}", "x_iw_run_id": run, "host": "127.0.0.1"}
        return Call(cell, name, raw.post(base_url, cell.mode.path, body, PATIENCE_S, **headers))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {call.asked: call for call in pool.map(one, asked)}


def told(call: Call) -> str:
    """What the caller got, in the words of the table."""
    got = call.got
    if not got.whole:
        return f"nothing whole ({got.ended})"
    if got.status != 200:
        return f"{got.status} {got.error['code'] or 'null'}"
    if call.cell.mode.stream and (code := broken_by(got)):
        return f"error event {code}"
    served = got.headers.get("x-iw-model", "")
    return ANSWER if served == call.cell.model("chain" if call.asked == call.cell.alias else "alone") else NEXT


def tries(record: Record) -> tuple[str, ...]:
    """What the audit says of the tries at the first model: status and error code."""
    first = [attempt for attempt in record.attempts if attempt.rung == 0]
    return tuple(
        f"{'-' if a.status is None else a.status} {a.skip_reason or a.error_code or a.error_type}".strip()
        for a in first
    )


def noted(record: Record) -> str:
    """What the outcome says of the usage."""
    prompt, completion = record.usage
    if prompt is completion is None:
        return "no usage"
    return f"usage {'-' if prompt is None else prompt}/{'-' if completion is None else completion}"


def broken_by(got: Raw) -> str:
    """The code of the error event that ends a stream; empty for one that ends as whole."""
    last = got.frames[-1].rpartition(b"data: ")[2]
    if last == b"[DONE]":
        return ""
    event = json.loads(last)
    ended = event.get("type") in ("response.completed", "response.incomplete")
    return "" if ended else str(event["error"]["code"])


def said(call: Call) -> str:
    """The text, or the refusal, of the answer that the caller got; of a broken stream as far as it went."""
    if call.got.status != 200:
        return ""
    if call.cell.mode.stream:
        return "".join(text for event in objects(call.got) for text in deltas(event))
    if call.cell.mode.path == RESPONSES:
        items = (item for item in call.got.json["output"] if item["type"] == "message")
        return "".join(part.get("text") or part.get("refusal") or "" for item in items for part in item["content"])
    message = call.got.json["choices"][0]["message"]
    return str(message.get("content") or message.get("refusal") or "")


def deltas(event: dict[str, Any]) -> Iterator[str]:
    """The pieces of text in one event of either API."""
    if str(event.get("type")) in ("response.output_text.delta", "response.refusal.delta"):
        yield event["delta"]
    for choice in event.get("choices") or ():
        yield choice["delta"].get("content") or choice["delta"].get("refusal") or ""


def objects(got: Raw) -> Iterator[dict[str, Any]]:
    """The objects of a stream; what is not JSON is left out, as a caller would."""
    for frame in got.frames:
        try:
            value = json.loads(frame.rpartition(b"data: ")[2])
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
