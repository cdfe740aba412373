"""A process that has imported what commands of manage.py need of others' code, and forks for each command.

Half of what a command takes is importing that. Each fork begins where Python would have begun: its own environment,
folder, arguments and files, and of this project's code nothing is imported yet. `forking.py` asks for them.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
from typing import Any

OTHERS = (
    "aiohttp",
    "django.contrib.admin",
    "django.contrib.staticfiles",
    "django.core.handlers.asgi",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "drf_spectacular.utils",
    "httptools",
    "psycopg_pool",
    "pydantic_settings",
    "rest_framework.serializers",
    "uvicorn",
    "uvloop",
    "whitenoise.middleware",
    "yaml",
)
LARGEST = 1 << 18
"""Bytes of a request."""

HIGHEST = 1 << 20
"""No file has so high a number."""

STATUS = struct.Struct("i")

Asked = dict[str, Any]


def serve(link: socket.socket) -> Asked | None:
    """Fork for whoever asks, and tell how each fork ended. In a fork: what it is to run. None once nobody asks."""
    told: dict[int, int] = {}
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([link.fileno(), ended], [], [])[0]
        if ended in ready:
            os.read(ended, 4096)
            _tell(told)
        if link.fileno() not in ready:
            continue
        text, files, _, _ = socket.recv_fds(link, LARGEST, 4)
        if not text:
            return None
        *streams, report = files
        child = os.fork()
        if not child:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(streams)
            return dict(json.loads(text))
        os.setpgid(child, child)
        for each in streams:
            os.close(each)
        told[child] = report
        link.send(STATUS.pack(child))


def _tell(told: dict[int, int]) -> None:
    """Pass on how each of the forks that have ended did."""
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        report = told.pop(pid)
        os.write(report, STATUS.pack(os.waitstatus_to_exitcode(status)))
        os.close(report)


def _become(streams: list[int]) -> None:
    """The leader of a process group, on these files alone."""
    os.setpgid(0, 0)
    for number, each in enumerate(streams):
        os.dup2(each, number)
    os.closerange(len(streams), HIGHEST)


def run(asked: Asked) -> None:
    """Run a script of a folder as `python SCRIPT ARGUMENTS` does there."""
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = asked["arguments"]
    sys.path[0] = asked["cwd"]
    runpy.run_path(asked["arguments"][0], run_name="__main__")


if __name__ == "__main__":
    for name in OTHERS:
        importlib.import_module(name)
    gc.freeze()
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is not None:
        run(asked)
