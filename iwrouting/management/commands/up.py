"""`manage.py up`: everything `make run` does after the installation."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.conf import settings
from iwrouting.management.commands.serve import add_address, default_workers, supervise
from iwrouting.management.database import NOT_READY
from iwrouting.management.first_start import admit_host, prepare_database, sandbox_if_needed
from iwrouting.management.welcome import Welcome
from iwrouting.server.starting import CannotStart, check_start, start_lines
from iwrouting.server.supervisor import CannotListen, listen

EPILOG = """examples:
  manage.py up
  manage.py up --port 8080
"""


class Command(BaseCommand):
    """Prepare a fresh folder and serve, for a first try or a developer's machine."""

    help = "Migrate, load the matrix, make an admin user and a first key, and serve; with the sandbox if no key is set."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_address(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, and stop all that was started."""
        # Until the supervisor takes it over, SIGTERM must unwind, so that the sandbox ends and what was made is shown.
        signal.signal(signal.SIGTERM, _leave)
        try:
            self._serve(options["host"], options["port"])
        except (CannotListen, CannotStart) as error:
            raise CommandError(str(error), returncode=NOT_READY) from None

    def _serve(self, host: str, port: int) -> None:
        workers = default_workers()
        with listen(host, port) as listener, sandbox_if_needed() as sandbox:
            port = listener.getsockname()[1]
            check_start(settings(), host, port, workers)
            for line in start_lines(settings(), workers):
                self.stderr.write(line)
            admit_host(host)
            welcome = Welcome(host, port, prepare_database(), sandbox)
            try:
                supervise(listener, workers, self.stderr.write, welcome.when_ready)
            finally:
                welcome.finish()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
