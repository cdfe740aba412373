"""`manage.py up`: everything `make run` does after the installation."""

from __future__ import annotations

import argparse
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.conf import settings
from iwrouting.management.commands.serve import NOT_READY, add_address, default_workers, supervise
from iwrouting.management.first_start import prepare_database, start_sandbox_if_needed, welcome
from iwrouting.server.starting import CannotStart, check_start, start_lines
from iwrouting.server.supervisor import CannotListen, listen

EPILOG = """examples:
  manage.py up
  manage.py up --port 8080
"""
READY_WAIT_S = 60.0


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
        """Prepare, serve, and stop all that was started."""
        host, workers = options["host"], default_workers()
        try:
            listener = listen(host, options["port"])
        except CannotListen as error:
            raise CommandError(str(error), returncode=NOT_READY) from None
        port = listener.getsockname()[1]
        things = prepare_database()
        sandbox = start_sandbox_if_needed()
        try:
            check_start(settings(), host, port, workers)
            for line in start_lines(settings(), workers) if sandbox is None else ():
                self.stderr.write(line)
            text = welcome(host, port, things, sandbox=sandbox is not None)
            supervise(listener, workers, self.stderr.write, lambda: _when_ready(port, host, text))
        except CannotStart as error:
            raise CommandError(str(error), returncode=NOT_READY) from None
        finally:
            if sandbox is not None:
                sandbox.terminate()
                sandbox.wait()


def _when_ready(port: int, host: str, text: str) -> None:
    threading.Thread(target=_announce, args=(port, host, text), daemon=True).start()


def _announce(port: int, host: str, text: str) -> None:
    address = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    shown = f"[{address}]" if ":" in address else address
    deadline = time.monotonic() + READY_WAIT_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://{shown}:{port}/readyz", timeout=2).close()
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
            continue
        break
    print(text, flush=True, file=sys.stdout)
