"""The estimate that costs nothing."""

from __future__ import annotations

BYTES_A_TOKEN = 4
SOURCE_BYTES = "bytes"


def estimate(size_bytes: int) -> int:
    """The estimate that stands on every decision, marked `bytes` (design.md 5): a quarter of the bytes, rounded up."""
    return -(-size_bytes // BYTES_A_TOKEN)
