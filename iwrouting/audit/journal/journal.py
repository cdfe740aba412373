"""The journal: where rows stay that the database does not take now, until it does (design.md 6).

A folder holds the segments of all writers that share it, `<writer>.<number>.journal`, and a file `id` that names it.
A writer keeps one segment open from its start, so that a folder that takes nothing is known before it is needed.
Blocking: all of this belongs into a thread.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from iwrouting.audit.journal.segments import JournalFault, Segment
from iwrouting.conf.disk import sync_folder

ROLL_BYTES = 64_000_000
NAME = re.compile(r"([0-9a-f-]{36})\.(\d{1,9})\.journal")


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a journal, how many bytes of records one writer may have in it, and whose rows they are.

    `database` is a name for the database by its address (`database_name`); empty: any.
    """

    folder: Path
    limit_bytes: int
    database: str = ""


class Journal:
    """The segments of one writer, oldest first; the last takes what comes. `told` stands in each file's header."""

    def __init__(self, place: Place, writer_id: str, **told: Any) -> None:
        self.folder = place.folder
        self.writer_id = writer_id
        self._limit = place.limit_bytes
        self._told = {"database": place.database, **told}
        self._number = 0
        self._segments: deque[Segment] = deque()

    def open(self) -> None:
        """Make the folder and the first segment. Raises JournalFault."""
        if not self._segments:
            make_folder(self.folder)
            self._roll()

    @property
    def pending_bytes(self) -> int:
        """How many bytes of records stand in it."""
        return sum(segment.end - segment.start for segment in self._segments)

    def append(self, payload: bytes) -> None:
        """Put a record behind all others, on disk when this returns. Raises JournalFault: then it is not there."""
        self.open()
        if self.pending_bytes + len(payload) > self._limit:
            raise JournalFault(
                f"{self.folder} holds {self._limit} bytes for this writer, its limit (IW_JOURNAL_MAX_MB)"
            )
        if self._segments[-1].end >= ROLL_BYTES or not self._segments[-1].takes_more:
            make_folder(self.folder)
            self._roll()
        self._segments[-1].append(payload)

    def oldest(self) -> Segment | None:
        """The segment to replay next; None where nothing waits."""
        return next((segment for segment in self._segments if not segment.is_empty), None)

    def forget(self, segment: Segment) -> None:
        """Let go of a segment that is replayed to its end. Raises JournalFault."""
        if segment is self._segments[-1] and segment.takes_more:
            segment.clear()
        else:
            self._segments.remove(segment)
            segment.close(remove=True)

    def close(self) -> None:
        """Let go of all; what holds no record is removed."""
        while self._segments:
            segment = self._segments.popleft()
            segment.close(remove=segment.is_empty)

    def _roll(self) -> None:
        self._number += 1
        path = self.folder / f"{self.writer_id}.{self._number}.journal"
        self._segments.append(Segment.create(path, writer_id=self.writer_id, **self._told))


def make_folder(folder: Path) -> None:
    """Make it, for its owner alone. Raises JournalFault."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalFault(f"{folder} can't be made: {error.strerror} (IW_JOURNAL_DIR)") from error


def folder_id(folder: Path) -> str:
    """The name of a folder of journals, made at the first question. Who share it have one name. Raises JournalFault."""
    make_folder(folder)
    path = folder / "id"
    try:
        return _read_id(path) or _name_folder(path)
    except OSError as error:
        raise JournalFault(f"{path} can't be written: {error.strerror}") from error


def _read_id(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _name_folder(path: Path) -> str:
    own = path.with_name(f"id.{uuid4()}")
    try:
        with own.open("x") as opened:
            opened.write(f"{uuid4()}\n")
            opened.flush()
            os.fsync(opened.fileno())
        if path.exists():
            # Empty, as after a loss of power: without a name nobody would adopt what stands in the folder.
            own.replace(path)
        else:
            _link(own, path)
    finally:
        own.unlink(missing_ok=True)
    sync_folder(path.parent)
    return _read_id(path)


def _link(own: Path, path: Path) -> None:
    # Unlike an open for writing this never shows a file that is not whole yet, and the first to come wins.
    with suppress(FileExistsError):
        os.link(own, path)


def left_segments(folder: Path, *, but: str = "") -> dict[str, list[Path]]:
    """The files of other writers than `but`, in the order in which they are replayed, by writer id."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in _files(folder):
        match = NAME.fullmatch(path.name)
        if match and match[1] != but:
            found.setdefault(match[1], []).append((int(match[2]), path))
    return {writer: [path for _, path in sorted(numbered)] for writer, numbered in sorted(found.items())}


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except FileNotFoundError:
        return
