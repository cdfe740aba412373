"""Reading a provider's usage export: the answers of OpenAI's organization usage and costs API, or a CSV of it.

An answer is a page, `{"data": [{"start_time", "end_time", "results": [...]}], "has_more"}`; a file has one page, a list
of pages, or a page a line. The dashboard's CSV has the same names as columns. Other columns are mapped.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson

from iwrouting.reports.reconcile.columns import Columns, moment
from iwrouting.reports.reconcile.files import UNREADABLE, BadFile, BadLine, Record, Source
from iwrouting.reports.reconcile.logs import check
from iwrouting.reports.reconcile.sums import Used

PICO = 10**12
MOST_USD = 10**12
LAST_YEAR = 9999
DAY = timedelta(days=1)
TIMES = {"start_time", "end_time", "start_time_iso", "end_time_iso"}
"""All that a CSV has whose time had no usage."""


class UsageFile:
    """One export. After reading, `source` says which lines were bad, `more` whether pages are lacking."""

    def __init__(self, path: Path, mapped: Mapping[str, str]) -> None:
        self.source = Source(path)
        self.more = False
        self._columns = Columns("usage", mapped)

    def lines(self) -> list[Used]:
        """Its lines. Raises BadFile."""
        found = list(self._lines())
        check(self.source, self._columns)
        others = set(self.source.columns) - TIMES
        if others and not self._columns.seen & {"prompt", "completion", "amount"}:
            raise BadFile(
                f"{self.source.path} tells neither tokens nor an amount. Columns found: "
                f"{', '.join(self.source.columns[:40])}. Name them, as in --map usage.prompt=COLUMN."
            )
        return found

    def _lines(self) -> Iterator[Used]:
        pages = self._pages()
        if pages is None:
            yield from self.source.read(lambda _, record: self._used(record))
            return
        for number, record in enumerate(self._records(pages), 1):
            yield from self.source.take(number, record, lambda _, found: self._used(found))

    def _pages(self) -> list[Any] | None:
        """The pages of a file in JSON; None for a CSV."""
        path = self.source.path
        try:
            with self.source.open() as file:
                data = file.read().removeprefix(BOM_UTF8)
        except UNREADABLE as error:
            raise BadFile(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
        if data.lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            whole = orjson.loads(data)
            return whole if isinstance(whole, list) else [whole]
        except orjson.JSONDecodeError:
            pass
        try:
            return [orjson.loads(line) for line in data.splitlines() if line.strip()]
        except orjson.JSONDecodeError as error:
            raise BadFile(f"{path} is no JSON: {error}.") from None

    def _records(self, pages: Iterable[Any]) -> Iterator[Record]:
        """The results of all buckets of all pages, each with the times of its bucket."""
        for page in pages:
            is_page = isinstance(page, Mapping) and isinstance(page.get("data"), list)
            self.more = bool(page.get("has_more")) if is_page else False
            for bucket in page["data"] if is_page else [page]:
                if not isinstance(bucket, Mapping):
                    continue
                times = {name: bucket.get(name) for name in ("start_time", "end_time")}
                yield times
                results = bucket.get("results") or bucket.get("result") or []
                if not isinstance(results, list):
                    raise BadFile(f"{self.source.path}: the results of a bucket are no list.")
                for result in results:
                    if isinstance(result, Mapping):
                        yield {**times, **result}

    def _used(self, record: Record) -> Used:
        columns = self._columns
        start = moment(columns.value(record, "start"), "start")
        if start is None:
            raise BadLine("it has no start of its bucket")
        end = moment(columns.value(record, "end"), "end")
        if end is None and start.year >= LAST_YEAR:
            raise BadLine(f"its bucket begins in the year {start.year}")
        end = end or start + DAY
        if end <= start:
            raise BadLine("its bucket ends before it begins")
        return Used(
            int(start.timestamp()),
            int(end.timestamp()),
            columns.text(record, "model"),
            columns.number(record, "requests") or 0,
            columns.number(record, "prompt") or 0,
            columns.number(record, "cached") or 0,
            columns.number(record, "completion") or 0,
            self._cost(record),
        )

    def _cost(self, record: Record) -> int | None:
        amount, currency = self._columns.text(record, "amount"), self._columns.text(record, "currency").lower()
        if not amount:
            return None
        if currency not in ("", "usd"):
            raise BadLine(f"its currency is {currency:.20}, and we count in usd")
        try:
            found = Decimal(amount)
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or found.copy_abs() >= MOST_USD:
            raise BadLine(f"amount {amount!r:.60} is no number of dollars")
        return int(found * PICO)
