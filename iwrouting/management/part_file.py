"""A long file that stands under its name whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from django.core.management.base import CommandError


class PartFile:
    """Is written as `<name>.part`, for its owner alone, and renamed when it is whole; one that exists is replaced then.

    What was written up to `mark()` outlives a failure: `abandon()` cuts off the rest.
    """

    def __init__(self, name: str) -> None:
        """Raises CommandError where it can't be made, or another one writes it."""
        self.path = Path(name).resolve()
        self.part = self.path.with_name(f"{self.path.name}.part")
        if self.path.exists() and not self.path.is_file():
            raise CommandError(f"{name} is no file: leave --output out, and let the shell lead the output there.")
        try:
            made = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(
                f"{self.part} is there: another export writes it, or one was broken off. Wait, or remove it."
            ) from None
        except OSError as error:
            raise CommandError(f"{self.part} can't be made: {error.strerror or error}.") from None
        self._file = os.fdopen(made, "wb")
        self._whole = 0

    def write(self, text: str) -> None:
        """More of it."""
        self._file.write(text.encode())

    def mark(self) -> None:
        """All so far is whole."""
        self._file.flush()
        self._whole = self._file.tell()

    def finish(self) -> None:
        """It is whole: on disk, and under its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.part.replace(self.path)

    def abandon(self) -> bool:
        """Cut off what is not whole, or remove it where nothing is. Returns whether something is left."""
        with suppress(OSError):  # A full disk: what was marked is on it.
            self._file.close()
        if self._whole:
            os.truncate(self.part, self._whole)
        else:
            self.part.unlink()
        return bool(self._whole)
