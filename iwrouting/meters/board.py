"""Numbers in memory that all workers of one `serve` share, and that outlive each of them.

The parent makes the memory and keeps it. Each worker has a slot of its own and writes there alone, so that no lock is
needed; whoever is scraped adds up all slots. A worker that replaces another goes on in the slot of that one: no sum
ever falls, and none jumps. A number is one aligned word, written at once; a series becomes visible only after it is
whole, and has a checksum for readers on processors that show writes in another order.
"""

from __future__ import annotations

import json
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator

SLOT_BYTES = 1 << 20
"""Some three thousand series of a worker: what Prometheus can take of one target, and far more than a matrix needs."""

SLOT_WORDS = SLOT_BYTES // 8
SCRATCH, HEAD_WORDS = 2, 34
"""How many words of the slot are used, and the form of what stands there; then room for numbers that have no place."""

FORM = 1
ENTRY_WORDS = 2
"""Before each series: bytes of its key and count of its numbers; the key's checksum."""

MOST = 2**63 - 1
"""A word holds no more: a number that would pass it begins again at 0, as after a restart."""


def make(slots: int) -> int:
    """New shared memory for so many workers, in no file system where the machine can do that; its descriptor."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("iw-meters")
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, slots * SLOT_BYTES)
    return handle


class Board:
    """The memory as one process sees it."""

    def __init__(self, handle: int) -> None:
        memory = mmap.mmap(handle, 0)
        words = memoryview(memory).cast("q")
        self._slots = [words[at : at + SLOT_WORDS] for at in range(0, len(words), SLOT_WORDS)]

    def slot(self, number: int) -> Slot:
        """A worker's own; nobody else may write there."""
        return Slot(self._slots[number])

    def read(self) -> dict[tuple[str, ...], list[int]]:
        """Every series of every worker, added up; the key is the metric's name and the values of its labels."""
        found: dict[tuple[str, ...], list[int]] = {}
        for words in self._slots:
            for key, at, width in series(words):
                values = words[at : at + width].tolist()
                known = found.get(key)
                same = known is not None and len(known) == width
                found[key] = [a + b for a, b in zip(known, values, strict=True)] if known and same else values
        return found


class Slot:
    """The numbers of one worker. `words` may be changed in place, at the positions that `place` gives."""

    def __init__(self, words: memoryview) -> None:
        self.words = words
        if not words[0] or words[1] != FORM:
            words[1] = FORM
            words[0] = HEAD_WORDS
        self.found = {key: (at, width) for key, at, width in series(words)}
        # Nothing stands behind what could not be read: readers would never come to it.
        words[0] = max((at + width for at, width in self.found.values()), default=HEAD_WORDS)
        self.is_full = False

    def place(self, key: tuple[str, ...], width: int) -> int | None:
        """Where the numbers of a series stand; it is made if it is not there. None: the memory is full."""
        known = self.found.get(key)
        if known is not None and known[1] == width:
            return known[0]
        text = json.dumps(key).encode()
        at = self.words[0]
        numbers = at + ENTRY_WORDS + -(-len(text) // 8)
        if numbers + width > SLOT_WORDS:
            self.is_full = True
            return None
        padded = text.ljust((numbers - at - ENTRY_WORDS) * 8)
        self.words[at + ENTRY_WORDS : numbers] = memoryview(padded).cast("q")
        self.words[numbers : numbers + width] = memoryview(bytes(8 * width)).cast("q")
        self.words[at + 1] = zlib.crc32(text)
        self.words[at] = len(text) << 32 | width
        self.words[0] = numbers + width
        self.found[key] = numbers, width
        return numbers


def series(words: memoryview) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """The series of a slot: key, position and count of the numbers. It ends at what is not whole yet."""
    at, end = HEAD_WORDS, min(words[0], SLOT_WORDS)
    while words[1] == FORM and at + ENTRY_WORDS < end:
        length, width = words[at] >> 32, words[at] & 0xFFFF_FFFF
        numbers = at + ENTRY_WORDS + -(-length // 8)
        text = words[at + ENTRY_WORDS : numbers].tobytes()[:length]
        if numbers + width > end or zlib.crc32(text) != words[at + 1]:
            return
        yield tuple(json.loads(text)), numbers, width
        at = numbers + width
