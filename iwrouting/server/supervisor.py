"""The parent of the workers: binds the socket, starts them, restarts what dies, and stops them all.

Workers are processes of their own on the one listening socket; they leave within a second of losing their parent.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from iwrouting.meters import make

POLL_S = 0.1
BACK_OFF_S = 0.2
BACK_OFF_MAX_S = 10.0
SETTLED_S = 10.0
GRACE_S = 9.0
"""So long, after IW_DRAIN_S, a worker has to store and say the last before it is killed."""

BACKLOG = 2048


class CannotListen(Exception):
    """The address can't be listened on; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotListen with one clear line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(error, host, port)) from None
    except OverflowError:
        listener.close()
        raise CannotListen(f"Port {port} does not exist: choose one from 1 to 65535.") from None
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else port - 1
        return f"Port {port} on {host} is taken: stop what uses it, or choose another (--port {other}, PORT={other})."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have: choose one above 1023."
    return f"{host}:{port} can't be listened on: {error.strerror or error}."


@dataclass(slots=True)
class Worker:
    """One worker process and when it may be started again (monotonic)."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    back_off_s: float = BACK_OFF_S
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Runs `count` workers on a listening socket until a signal says stop. Times in seconds.

    `meters` is the memory of their metrics: it is kept here, so that it outlives each of them.
    """

    listener: socket.socket
    count: int
    drain_s: float
    say: Callable[[str], None]
    workers: list[Worker] = field(default_factory=list)
    stopping: bool = False
    meters: int = -1

    def run(self, when_started: Callable[[], None] = lambda: None) -> None:
        """Block until SIGTERM or SIGINT, then until every worker is gone."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        self.workers = [Worker(number) for number in range(self.count)]
        self.meters = make(self.count)
        try:
            self._tend()
            when_started()
            while not self.stopping:
                self._tend()
                time.sleep(POLL_S)
        finally:
            self._end_all()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _tend(self) -> None:
        for worker in self.workers:
            if worker.process is not None and worker.process.poll() is not None:
                self._bury(worker, worker.process.returncode)
            if worker.process is None and time.monotonic() >= worker.start_at and not self.stopping:
                self._start(worker)

    def _start(self, worker: Worker) -> None:
        handle = self.listener.fileno()
        command = [sys.executable, "-m", "iwrouting.server.worker", "--fd", str(handle), "--parent", str(os.getpid())]
        command += ["--meters", str(self.meters), "--number", str(worker.number)]
        # The child inherits the mask: a Ctrl-C while it still imports is kept for when it can end without a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            worker.process = subprocess.Popen(command, pass_fds=(handle, self.meters))  # noqa: S603 - our own interpreter and module
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        worker.started_at = time.monotonic()

    def _bury(self, worker: Worker, code: int) -> None:
        lived = time.monotonic() - worker.started_at
        worker.back_off_s = BACK_OFF_S if lived > SETTLED_S else min(worker.back_off_s * 2, BACK_OFF_MAX_S)
        worker.start_at = time.monotonic() + worker.back_off_s
        worker.process = None
        if not self.stopping:
            self.say(f"worker {worker.number} ended ({_ending(code)}); a new one starts in {worker.back_off_s:.1f} s")

    def _end_all(self) -> None:
        # Closed here and in the workers, it refuses: callers go elsewhere at once.
        self.listener.close()
        running = [worker.process for worker in self.workers if worker.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self.drain_s + GRACE_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
