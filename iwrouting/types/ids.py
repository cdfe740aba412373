"""What the ids of decisions say of their time: they are UUIDv7 (RFC 9562), and `decision_at` is the time inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_MS = timedelta(milliseconds=1)


def first_id(at: datetime) -> UUID:
    """An id before those of all decisions from a time on, and after all earlier ones."""
    return UUID(int=-((EPOCH - at) // A_MS) << 80)
