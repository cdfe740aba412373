"""`manage.py demo`: some hundred calls at the sandbox, so that every screen and report has something to show."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from iwrouting.management.database import NOT_READY
from iwrouting.management.demo.cast import prepare, raise_budget, retire
from iwrouting.management.demo.guard import MayNotRun, refuse_production, refuse_real_traffic
from iwrouting.management.demo.play import play
from iwrouting.management.demo.script import Scene, script
from iwrouting.management.demo.stage import DidNotStart, running_service
from iwrouting.management.demo.summary import summary
from iwrouting.management.first_start import prepare_database, running_sandbox
from iwrouting.management.welcome import made
from iwrouting.models import Alias

CALLS = 300

EPILOG = """examples:
  make demo
  manage.py demo --calls 100 --seed 7
  DATABASE_URL=sqlite:////tmp/demo.sqlite3 manage.py demo

No provider is called: a sandbox of its own answers, in which the models that are shut down today are gone. Refused in
production, and on a database that holds calls of a real provider.
"""


class Command(BaseCommand):
    """Fill a development database with demo traffic."""

    help = "Make demo projects and send some hundred sandbox calls for them, with faults, fallbacks and refusals."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--calls",
            type=int,
            default=CALLS,
            help=f"About so many calls, but never fewer than show everything (default: {CALLS}).",
        )
        parser.add_argument("--seed", type=int, default=1, help="The same seed sends the same calls (default: 1).")
        parser.add_argument("--force", action="store_true", help="Also beside calls of a real provider.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, play, sum up."""
        signal.signal(signal.SIGTERM, _leave)
        started = time.monotonic()
        try:
            refuse_production()
            self._first_start()
            refuse_real_traffic(forced=options["force"])
        except MayNotRun as error:
            raise CommandError(str(error), returncode=1) from None
        self._play(options["calls"], options["seed"])
        self.stderr.write(f"Done in {time.monotonic() - started:.0f} s.")
        self.stdout.write("\n".join(summary()))

    def _first_start(self) -> None:
        """What `make run` would make, with what is shown this once."""
        things = prepare_database()
        if things.password or things.key:
            self.stdout.write("\n".join(made(things)))

    def _play(self, calls: int, seed: int) -> None:
        cast = prepare()
        scenes = script(list(Alias.objects.order_by("pk").values_list("name", flat=True)), calls, seed)
        connections.close_all()
        try:
            self._perform(scenes, cast.keys)
        except DidNotStart as error:
            raise CommandError(str(error), returncode=NOT_READY) from None
        finally:
            retire(cast)

    def _perform(self, scenes: list[Scene], keys: dict[str, str]) -> None:
        today = datetime.now(UTC).date().isoformat()
        with running_sandbox("--as-of", today) as sandbox, running_service(sandbox) as service:
            total = sum(len(scene.calls) for scene in scenes)
            self.stderr.write(f"{total} calls at the sandbox, in {len(scenes)} scenes:")
            asyncio.run(play(scenes, service, sandbox, keys, self._say, raise_budget))

    def _say(self, line: str) -> None:
        self.stderr.write(f"  {line}")


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
