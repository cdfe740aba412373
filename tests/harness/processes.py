"""Child processes that never outlive the run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 10.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class HarnessError(Exception):
    """The run can't go on; the message says why and what to do."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within it, the first SIGINT, SIGTERM or SIGHUP unwinds the stack, so that everything started is stopped."""

    def stop(number: int, _frame: object) -> None:
        # Only the first: a second Ctrl-C must not cut the clearing up short, which ends by itself within seconds.
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> int:
    """Run a command in the foreground and return its exit code; what it started ends with us."""
    # Its own group: Ctrl-C reaches us alone and we pass it on, once, to the whole group.
    child = subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, process_group=0)
    try:
        return child.wait()
    finally:
        end_group(child)


def end_group(child: subprocess.Popen[bytes], number: int = signal.SIGINT) -> None:
    """Ask a child's process group to stop, wait for the child, then kill what is left of the group."""
    if child.poll() is None:
        signal_group(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    signal_group(child.pid, signal.SIGKILL)
    child.wait()


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group; a group that is gone is fine."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
