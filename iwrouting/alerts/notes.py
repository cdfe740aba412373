"""What a host remembers of alerts without a database: a small file beside the journals, and its lock.

It holds where each alert stands, and the rows that still have to be stored. Its time says when this host last looked.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from iwrouting.alerts.state import Key, Row, Standing, as_plain, read_row, read_standing
from iwrouting.audit.journal.journal import make_folder
from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.locks import LockFault, locked_file

log = logging.getLogger(__name__)


class Notes:
    """The notes of one host. Where the folder takes no file they stay in this process's memory."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "alerts.json"
        self.standings: dict[Key, Standing] = {}
        self.waiting: list[Row] = []
        self._saved_at = 0.0

    @contextmanager
    def mine(self) -> Iterator[bool]:
        """Whether this process alone looks within the block, of all on this host."""
        with ExitStack() as stack:
            try:
                ours = stack.enter_context(locked_file(self._path.with_suffix(".hold")))
            except (LockFault, JournalFault):
                ours = True
            yield ours

    def age_s(self) -> float:
        """Seconds since this host last looked."""
        try:
            saved_at = self._path.stat().st_mtime
        except OSError:
            saved_at = self._saved_at
        return abs(time.time() - saved_at)

    def read(self) -> None:
        """Take what stands in the file; one that is missing or damaged leaves what is remembered."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            standings = [read_standing(each) for each in found["standings"]]
            waiting = [read_row(each) for each in found["rows"]]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s can't be read: %s", self._path, type(error).__name__)
            return
        self.standings = {(each.rule, each.subject): each for each in standings}
        self.waiting = waiting

    def stored(self, rows: Sequence[Row]) -> None:
        """These stand in the database now; whoever noted more meanwhile keeps it."""
        self.read()
        done = {row.id for row in rows}
        self.save(self.standings, [row for row in self.waiting if row.id not in done])

    def save(self, standings: Mapping[Key, Standing], waiting: Sequence[Row]) -> None:
        """Keep this instead."""
        self.standings, self.waiting, self._saved_at = dict(standings), list(waiting), time.time()
        told = {
            "version": 1,
            "standings": [as_plain(each) for each in self.standings.values()],
            "rows": [as_plain(each) for each in self.waiting],
        }
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            make_folder(self._path.parent)
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
                json.dump(told, file)
            draft.replace(self._path)
        except (OSError, JournalFault) as error:
            log.warning("%s can't be written: %s", self._path, error)
