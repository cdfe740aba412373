"""One file of a journal: a header, then records, each whole or not there (faults.md D2, D6).

A record is a mark, its length, its CRC-32 and its bytes. Whoever writes or replays the file holds its lock. A tail
that is torn was never acknowledged; a damaged record in the middle is skipped by looking for the next whole one.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from iwrouting.conf.disk import sync_folder
from iwrouting.conf.points import hit

MAGIC = b"IWJRNL1\n"
VERSION = 1
MARK = b"\xffIWR"
HEAD = struct.Struct(">4sII")
MOST_RECORD = 64_000_000
READ_BYTES = 8_000_000


class JournalFault(Exception):
    """The journal takes nothing now, or can't be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes between `start` and `end` that are no whole record. `torn`: nothing whole comes after them."""

    start: int
    end: int
    torn: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record, and where the next one begins."""

    payload: bytes
    next: int


class Segment:
    """An open and locked file. `end` is behind its last whole record that this process knows of.

    `doubtful`: the system failed to bring it to the disk once, after which it may say so of bytes that it has lost.
    """

    def __init__(self, path: Path, handle: int, header: dict[str, Any], start: int, end: int) -> None:
        self.path = path
        self.header = header
        self.start = start
        self.end = end
        self.doubtful = False
        self._handle = handle

    @classmethod
    def create(cls, path: Path, **told: Any) -> Segment:
        """A new file, on disk with its header and its name, readable by its owner alone. Raises JournalFault."""
        header = {"version": VERSION, **told}
        written = MAGIC + orjson.dumps(header) + b"\n"
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalFault(f"{path} can't be made: {error.strerror}") from error
        try:
            # Locked before it has a byte: who finds it unlocked may take it for one that was left behind, and lets
            # go of it at once, as it has no header.
            fcntl.flock(handle, fcntl.LOCK_EX)
            _write_all(handle, written, 0)
            os.fsync(handle)
            sync_folder(path.parent)
        except OSError as error:
            os.close(handle)
            path.unlink(missing_ok=True)
            raise JournalFault(f"{path} can't be written: {error.strerror}") from error
        return cls(path, handle, header, len(written), len(written))

    @classmethod
    def take(cls, path: Path) -> Segment | None:
        """A file that another process left; None where it is in use or gone. Raises JournalFault for any other."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalFault(f"{path} can't be opened: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(handle)
            if found.st_nlink == 0:
                # Drained and removed between our open and our lock.
                os.close(handle)
                return None
            header, start = _read_header(path, handle)
        except BlockingIOError:
            os.close(handle)
            return None
        except (OSError, JournalFault):
            os.close(handle)
            raise
        return cls(path, handle, header, start, found.st_size)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no record."""
        return self.end <= self.start

    def append(self, payload: bytes) -> None:
        """Put a record at the end; it is on disk when this returns. Raises JournalFault: then it is not there."""
        if len(payload) > MOST_RECORD:
            raise JournalFault(f"a record of {len(payload)} bytes is over {MOST_RECORD}")
        record = HEAD.pack(MARK, len(payload), _checksum(payload)) + payload
        try:
            hit("journal.before_write")
            _write_all(self._handle, record, self.end)
            hit("journal.before_fsync")
            self._sync()
        except OSError as error:
            self.doubtful = not self._cut(self.end) or self.doubtful
            raise JournalFault(f"{self.path} can't be written: {error.strerror or error}") from error
        self.end += len(record)
        hit("journal.after_fsync")

    @property
    def takes_more(self) -> bool:
        """Whether a record that is put into it now can be trusted to last: nobody has removed or emptied the file."""
        found = os.fstat(self._handle)
        return not self.doubtful and found.st_nlink > 0 and found.st_size >= self.end

    def records(self, offset: int) -> Iterator[Record | Damage]:
        """What stands from `offset` to the end, read in pieces. Raises OSError."""
        while offset < self.end:
            found = self._record(offset)
            if isinstance(found, Damage):
                yield found
                offset = found.end
            else:
                yield found
                offset = found.next

    def bytes_of(self, damage: Damage, most: int) -> bytes:
        """The first bytes of a damaged place, to keep."""
        return os.pread(self._handle, min(most, damage.end - damage.start), damage.start)

    def clear(self) -> None:
        """Forget all records: they are stored elsewhere. Raises JournalFault."""
        if not self._cut(self.start):
            raise JournalFault(f"{self.path} can't be emptied")
        self.end = self.start

    def close(self, *, remove: bool = False) -> None:
        """Let go of it; `remove`: the file too."""
        if remove:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        os.close(self._handle)

    def _sync(self) -> None:
        try:
            os.fdatasync(self._handle)
        except OSError:
            self.doubtful = True
            raise

    def _cut(self, end: int) -> bool:
        try:
            os.ftruncate(self._handle, end)
            os.fsync(self._handle)
        except OSError:
            return False
        return True

    def _record(self, offset: int) -> Record | Damage:
        head = os.pread(self._handle, HEAD.size, offset)
        if len(head) == HEAD.size:
            mark, length, checksum = HEAD.unpack(head)
            behind = offset + HEAD.size + length
            if mark == MARK and length <= MOST_RECORD and behind <= self.end:
                payload = _read_all(self._handle, length, offset + HEAD.size)
                if _checksum(payload) == checksum:
                    return Record(payload, behind)
        return self._damage(offset)

    def _damage(self, offset: int) -> Damage:
        """How far it reaches: up to the next mark with a whole record behind it."""
        at = offset + 1
        while at < self.end:
            piece = os.pread(self._handle, READ_BYTES, at)
            if not piece:
                break  # somebody has cut the file
            place = piece.find(MARK)
            if place < 0:
                at += max(1, len(piece) - len(MARK) + 1)
                continue
            at += place
            if self._is_whole(at):
                return Damage(offset, at, torn=False)
            at += 1
        return Damage(offset, self.end, torn=True)

    def _is_whole(self, offset: int) -> bool:
        head = os.pread(self._handle, HEAD.size, offset)
        if len(head) < HEAD.size:
            return False
        mark, length, checksum = HEAD.unpack(head)
        if mark != MARK or length > MOST_RECORD or offset + HEAD.size + length > self.end:
            return False
        return _checksum(_read_all(self._handle, length, offset + HEAD.size)) == int(checksum)


def waiting_bytes(path: Path) -> int:
    """How many bytes of records stand in a file, whoever uses it; 0 where it is gone or in the making.

    Raises JournalFault.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise JournalFault(f"{path} can't be opened: {error.strerror}") from error
    try:
        size = os.fstat(handle).st_size
        return size - _read_header(path, handle)[1] if size else 0
    finally:
        os.close(handle)


def _read_header(path: Path, handle: int) -> tuple[dict[str, Any], int]:
    start = os.pread(handle, 4096, 0)
    line, newline, _ = start.removeprefix(MAGIC).partition(b"\n")
    try:
        header = orjson.loads(line) if start.startswith(MAGIC) and newline else None
    except orjson.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or not isinstance(header.get("version"), int):
        raise JournalFault(f"{path} is no journal of iwrouting, or its header is damaged")
    if header["version"] > VERSION:
        raise JournalFault(
            f"{path} was written by a newer release (form {header['version']}): start that one to replay it"
        )
    return header, len(MAGIC) + len(line) + 1


def _checksum(payload: bytes) -> int:
    return zlib.crc32(payload, len(payload))


def _write_all(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def _read_all(handle: int, length: int, offset: int) -> bytes:
    """So many bytes, or fewer where the file ends."""
    parts = []
    while length and (part := os.pread(handle, length, offset)):
        parts.append(part)
        length, offset = length - len(part), offset + len(part)
    return b"".join(parts)
