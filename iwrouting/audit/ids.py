"""Our own UUIDv7 ids: sortable by time, strictly rising within a process (RFC 9562)."""

from __future__ import annotations

import os
import random
import threading
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_random = random.Random()  # noqa: S311 - seeded by the system per process; an id is no secret
os.register_at_fork(after_in_child=_random.seed)
_last_ms = 0
_counter = 0


def new_id() -> str:
    """A new id as dashed lower-case text. A clock that steps back does not make ids step back."""
    return new_id_at()[0]


def new_id_at() -> tuple[str, datetime]:
    """A new id, and the UTC time inside it, to the millisecond."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, 0
        elif _counter < 0xFFF:
            _counter += 1
        else:
            _last_ms, _counter = _last_ms + 1, 0
        milliseconds, counter = _last_ms, _counter
    tail = _random.getrandbits(62) | 0x8000000000000000
    text = f"{(milliseconds << 80) | (7 << 76) | (counter << 64) | tail:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}", _moment(milliseconds)


def decision_time(decision_id: str) -> datetime:
    """The UTC time inside an id, dashed or not: what `decision_at` holds on all three tables."""
    return _moment(int(decision_id.replace("-", "")[:12], 16))


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
