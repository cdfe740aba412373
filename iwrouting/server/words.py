"""What the service says to its operators, who may have closed the pipe or filled the disk (faults.md P6)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress


def unhindered(say: Callable[[str], object]) -> Callable[[str], None]:
    """The same, but that nobody takes the words stops nothing."""

    def said(text: str) -> None:
        with suppress(OSError):
            say(text)

    return said


def let_go_of_words() -> None:
    """Throw away what stdout and stderr do not take: the interpreter would end with exit code 120 for it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
