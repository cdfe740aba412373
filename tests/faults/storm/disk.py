"""Disks that run full: a small file system of our own where we may mount one, else limits on what processes write."""

from __future__ import annotations

import errno
import resource
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class SmallDisk:
    """A file system of a few megabytes at `path`, which can be filled up and freed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Take every byte that is free."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """Mount one at `path`, which is made, within the block; None where this process may not mount."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(path)]
    if not _succeeds(command):
        yield None
        return
    try:
        yield SmallDisk(path)
    finally:
        _succeeds(["umount", "--lazy", str(path)])


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES, errno.EPERM):
            raise
        return False


@contextmanager
def no_writing(processes: Iterable[int]) -> Iterator[None]:
    """Within it these processes can make no file longer than it is: what a full disk and a full quota look like.

    The kernel answers EFBIG to each write behind the limit; nothing is taken from files that are there.
    """
    limited = list(processes)
    for pid in limited:
        _limit(pid, 0)
    try:
        yield
    finally:
        for pid in limited:
            _limit(pid, None)


def _limit(pid: int, most: int | None) -> None:
    with suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if most is None else most, hard))
