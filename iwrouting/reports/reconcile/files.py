"""Reading logs: JSON lines, or CSV with a heading, also compressed by gzip. A bad line is counted and passed over."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson

MAX_LINE = 16_000_000
SHOWN = 10
UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading a file raises that is not there, or broken."""


Record = Mapping[str, Any]
Line = TypeVar("Line")


class BadFile(Exception):
    """A file that can't be compared; the message names it and says what to do."""


class BadLine(ValueError):
    """A line that can't be read; the message says why."""


@dataclass
class Source:
    """A file while it is read: how many lines it gave, how many were bad, and the first of those with their reasons.

    `progress` is called with the bytes that were read since it was last called.
    """

    path: Path
    progress: Callable[[int], None] = lambda _: None
    lines: int = 0
    bad: int = 0
    reasons: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()

    def read(self, make: Callable[[int, Record], Line]) -> Iterator[Line]:
        """What `make` makes of each line, by its number. Raises BadFile; a BadLine of `make` is noted."""
        try:
            for number, record in self._records():
                if isinstance(record, Mapping):
                    yield from self.take(number, record, make)
                else:
                    self._note(number, record)
        except UNREADABLE as error:
            raise BadFile(f"{self.path} can't be read: {getattr(error, 'strerror', None) or error}.") from None

    def take(self, number: int, record: Record, make: Callable[[int, Record], Line]) -> Iterator[Line]:
        """What `make` makes of one record, unless that is a BadLine, which is noted."""
        self.columns = self.columns or tuple(_names(record))
        try:
            made = make(number, record)
        except BadLine as error:
            self._note(number, str(error))
            return
        self.lines += 1
        yield made

    def open(self) -> Any:
        """The file's bytes, unpacked. Raises OSError."""
        return gzip.open(self.path, "rb") if self.path.suffix == ".gz" else self.path.open("rb")

    def _note(self, number: int, reason: str) -> None:
        self.bad += 1
        if len(self.reasons) < SHOWN:
            self.reasons.append(f"{self.path}, line {number}: {reason}")

    def _records(self) -> Iterator[tuple[int, Record | str]]:
        with self.open() as file:
            first = file.peek(1)[:1]
            yield from self._json(file) if first in (b"{", b"") else self._csv(file)

    def _json(self, file: IO[bytes]) -> Iterator[tuple[int, Record | str]]:
        for number, line in enumerate(self._lines(file), 1):
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                yield number, "this is not JSON"
                continue
            if isinstance(record, dict):
                yield number, record
            else:
                yield number, "this is no JSON object"

    def _lines(self, file: IO[bytes]) -> Iterator[bytes]:
        while line := file.readline(MAX_LINE):
            self.progress(len(line))
            yield line

    def _csv(self, file: IO[bytes]) -> Iterator[tuple[int, Record | str]]:
        text = (line.decode("utf-8-sig", "replace") for line in self._lines(file))
        rows = csv.reader(text)
        self.columns = tuple(name.strip() for name in next(rows, []))
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield rows.line_num, f"this is no CSV: {error}"
                continue
            if row is None:
                return
            if len(row) == len(self.columns):
                yield rows.line_num, dict(zip(self.columns, row, strict=True))
            elif row:
                yield rows.line_num, f"it has {len(row)} columns, the heading {len(self.columns)}"


def _names(record: Record, prefix: str = "") -> Iterator[str]:
    """The names of the members of an object, those of inner objects after a dot."""
    for name, value in record.items():
        if isinstance(value, Mapping) and len(prefix) < 200:
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
