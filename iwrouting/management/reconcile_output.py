"""What `audit_reconcile` tells: a table, one JSON object, a JSON object a line as they are found, or a bill as CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from iwrouting.management.bill_output import COLUMNS as BILL
from iwrouting.management.bill_output import TABLE, day_row, legend, sheet_row, table_row
from iwrouting.management.output import as_csv, as_json, as_table
from iwrouting.reports.reconcile import TOTAL, Compared, Finding, Report

COLUMNS = ("code", "ledger", "decision", "seq", "line", "field", "ours", "theirs", "detail")
SUMS = ("bucket", "model", "requests", "theirs", "input", "theirs_input", "output", "theirs_output", "share")
PICO = 10**12


class Output:
    """Takes findings as they come. At most `limit` of them are kept for a table or JSON; lines of JSON go out at once.

    `findings` counts them without the notes.
    """

    def __init__(self, write: Callable[[str], object], form: str, limit: int, *, notes: bool) -> None:
        self._write = write
        self._form = form
        self._limit = limit
        self._notes = notes
        self._kept: list[Finding] = []
        self.findings = 0

    def take(self, found: Finding) -> None:
        """One more."""
        self.findings += not found.is_note
        if found.is_note and not self._notes:
            return
        if self._form == "jsonl":
            self._write(json.dumps(found.as_row()))
        elif len(self._kept) < self._limit:
            self._kept.append(found)

    def end(self, report: Report) -> None:
        """Write what waits for the end."""
        if self._form == "jsonl":
            for row in map(sum_row, report.sums):
                self._write(json.dumps({"kind": "sum", **row}))
            for row in map(day_row, report.days):
                self._write(json.dumps({"kind": "day", **row}))
            self._write(json.dumps({"kind": "summary", "version": 1, **_summary(report)}))
        elif self._form == "json":
            rows = [found.as_row() for found in self._kept]
            sums = [sum_row(each) for each in report.sums]
            days = [day_row(each) for each in report.days]
            left = self._left_off(report)
            self._write(as_json(**_summary(report), findings=rows, left_off=left, sums=sums, days=days))
        elif self._form == "csv":
            self._write(as_csv(BILL, map(sheet_row, report.days)).rstrip("\n"))
        else:
            self._tables(report)

    def _tables(self, report: Report) -> None:
        if self._kept:
            self._write(as_table(COLUMNS, [found.as_row() for found in self._kept]))
        if left := self._left_off(report):
            self._write(f"... and {left} more: --limit, or --format jsonl")
        if len(report.sums) > sum(each.day != TOTAL for each in report.days):
            self._write(as_table(SUMS, [_cells(each) for each in report.sums]))
        if report.days:
            self._write(as_table(TABLE, [table_row(each) for each in report.days]))

    def _left_off(self, report: Report) -> int:
        every = report.counts.total() if self._notes else self.findings
        return every - len(self._kept)


def _summary(report: Report) -> dict[str, Any]:
    return {
        "from": _iso(report.span.start),
        "to": _iso(report.span.end),
        "decisions": report.decisions,
        "counts": dict(sorted(report.counts.items())),
    }


def sum_row(compared: Compared) -> dict[str, Any]:
    """One bucket and model, or the cost of a bucket, as the command tells it."""
    share = None if compared.share is None else round(compared.share, 3)
    told: dict[str, Any] = {"bucket": compared.at, "model": compared.model, "share_percent": share}
    for name, side in (("ours", compared.ours), ("theirs", compared.theirs)):
        if compared.is_cost:
            told[name] = {"cost_usd": f"{side.cost_pico / PICO:.6f}"}
        else:
            told[name] = {
                "requests": side.requests,
                "input_tokens": side.prompt,
                "cached_tokens": side.cached,
                "output_tokens": side.completion,
            }
    return told


def _cells(compared: Compared) -> dict[str, Any]:
    share = "-" if compared.share is None else f"{compared.share:.2f}%"
    cells = {"bucket": compared.at, "model": compared.model, "share": share}
    mine, other = compared.ours, compared.theirs
    if compared.is_cost:
        return {**cells, "output": f"${mine.cost_pico / PICO:.6f}", "theirs_output": f"${other.cost_pico / PICO:.6f}"}
    return {
        **cells,
        "requests": mine.requests,
        "theirs": other.requests,
        "input": mine.prompt,
        "theirs_input": other.prompt,
        "output": mine.completion,
        "theirs_output": other.completion,
    }


def said(report: Report) -> Iterator[str]:
    """The summary in words, each code with its meaning."""
    start, end = _iso(report.span.start) or "the first", _iso(report.span.end) or "the last"
    yield f"Compared {report.decisions:,} decisions, from {start} to {end}."
    for code, count in sorted(report.counts.items()):
        meaning = Finding(code, "").meaning
        yield f"{count:>8,} {code}: {meaning}."
    yield from legend(report.days)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
