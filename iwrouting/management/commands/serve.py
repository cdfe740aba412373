"""`manage.py serve`: the service."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from iwrouting.conf import settings
from iwrouting.management.database import NOT_READY
from iwrouting.server.starting import CannotStart, check_start, check_tables, start_lines
from iwrouting.server.supervisor import CannotListen, Supervisor, listen
from iwrouting.server.words import let_go_of_words, unhindered

EPILOG = """examples:
  manage.py serve
  manage.py serve --host 0.0.0.0 --port 8080 --workers 4
SIGTERM ends it: open calls are drained for IW_DRAIN_S seconds.
"""


class Command(BaseCommand):
    """Run the service in the foreground."""

    help = "Serve /v1, /api and the admin. One worker a core on PostgreSQL; one on SQLite."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_address(parser)
        parser.add_argument("--workers", type=int, default=0, help="Worker processes (default: one a core; SQLite: 1).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        workers = options["workers"] or default_workers()
        if workers < 1:
            raise CommandError(f"--workers {workers}: must be 1 or more.", returncode=2)
        try:
            check_start(settings(), options["host"], options["port"], workers)
            check_tables()
            listener = listen(options["host"], options["port"])
        except (CannotStart, CannotListen) as error:
            raise CommandError(str(error), returncode=NOT_READY) from None
        say = unhindered(self.stderr.write)
        for line in start_lines(settings(), workers):
            say(line)
        say(f"listening on http://{options['host']}:{listener.getsockname()[1]}")
        supervise(listener, workers, say)


def add_address(parser: argparse.ArgumentParser) -> None:
    """The options --host and --port."""
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: 127.0.0.1).")
    parser.add_argument("--port", type=int, default=8000, help="Port (default: 8000; 0 takes a free one).")


def default_workers() -> int:
    """One worker a core; one on SQLite, which has one writer at a time."""
    return 1 if connection.vendor == "sqlite" else os.cpu_count() or 1


def supervise(
    listener: socket.socket, workers: int, say: Callable[[str], None], when_started: Callable[[], None] = lambda: None
) -> None:
    """Run the workers until told to stop; this process keeps no database connection meanwhile."""
    connections.close_all()
    try:
        Supervisor(listener, workers, settings().drain_s, unhindered(say)).run(when_started)
    finally:
        let_go_of_words()
