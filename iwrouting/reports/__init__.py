"""SQL reporting: the versioned views, on both databases."""

from __future__ import annotations


def connect_views() -> None: ...
