"""Disks that run full: a small file system of our own where we may mount one, else limits on what processes write."""

from __future__ import annotations

import errno
import itertools
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator
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
    with _limited(list(processes), resource.RLIMIT_FSIZE, lambda _pid: 0):
        yield


@contextmanager
def no_opening(processes: Iterable[int]) -> Iterator[None]:
    """Within it these processes can open no more files and connections than they have."""
    with _limited(list(processes), resource.RLIMIT_NOFILE, _first_free):
        yield


def _first_free(pid: int) -> int:
    """The limit is a number that no descriptor reaches; those above that are open stay so."""
    taken = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in itertools.count() if number not in taken)


@contextmanager
def _limited(processes: list[int], what: int, most: Callable[[int], int]) -> Iterator[None]:
    before = {}
    for pid in processes:
        with suppress(ProcessLookupError, FileNotFoundError):
            before[pid] = resource.prlimit(pid, what)
            resource.prlimit(pid, what, (most(pid), before[pid][1]))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, what, limits)
