"""The sandbox's ledger: one JSON object a received request, in a file and in memory."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from iwrouting.sandbox.answer import Json, dumps

KEPT = 100_000
"""Records kept in memory for `GET /_sandbox/requests`."""


class Log:
    """Appends each record with one write to a file opened with O_APPEND: lines never mix. OSError if it can't."""

    def __init__(self, path: Path | None) -> None:
        self.records: deque[Json] = deque(maxlen=KEPT)
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, record: Json) -> None:
        """Stores one ended request."""
        self.records.append(record)
        if self._file is not None:
            os.write(self._file, dumps(record) + b"\n")

    def since(self, n: int) -> list[Json]:
        """The ended requests numbered above `n`, by number."""
        return sorted((record for record in self.records if record["n"] > n), key=lambda record: record["n"])
