"""Words on stderr while a command works, for one that takes longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 1.0


class Progress:
    """Says how far it is, at most once a second, and nothing within the first."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._next = time.monotonic() + EVERY_S

    def __call__(self, text: Callable[[], str]) -> None:
        """`text` gives the words, and is asked only when they are due."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + EVERY_S
            self._write(text())
