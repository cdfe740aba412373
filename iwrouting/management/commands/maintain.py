"""`manage.py maintain`: all that the audit's tables need from time to time, one run at a time."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from iwrouting.audit.locks import LockFault, only_one
from iwrouting.management.database import NOT_READY
from iwrouting.management.maintenance import Ended, Say, steps, take
from iwrouting.management.output import Findings, add_format, as_json
from iwrouting.management.owner import arm_points, must_own

FAILED, WRONG_USAGE = 1, 2
SLOW_S = 1.0
EPILOG = """examples:
  manage.py maintain --dry-run               what each step would do; changes nothing
  manage.py maintain --yes                   once, from cron or a timer (docs/operations.md)
  manage.py maintain --yes --loop 3600       every hour until SIGTERM, in a container beside the service
Steps: months made ahead and the default partition looked at (PostgreSQL), what workers do beside their calls, usage
summed up (docs/reporting.md), old rows of held responses (IW_HELD_RETENTION_DAYS), old months of the audit
(IW_AUDIT_RETENTION_DAYS), statistics. One line a step. On PostgreSQL it needs the owner of the tables.
Exit codes: 0 done, 1 a step failed, 2 not confirmed, 3 somebody has to look at something, 4 another run is at it, or
the tables are in use.
"""


class Stopped(Exception):
    """SIGTERM came; raised between two transactions."""


class Command(BaseCommand):
    """Once, or again and again."""

    help = "Make months ahead, remove what is older than is kept, seal, sweep: run it daily or with --loop."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--dry-run", action="store_true", help="Say what each step would do; change nothing.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument(
            "--loop", type=float, default=0, metavar="SECONDS", help="Run again so long after each run."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        arm_points()
        if options["loop"] and (options["dry_run"] or options["loop"] < 1):
            raise CommandError("--loop takes 1 second or more, and no --dry-run.", returncode=WRONG_USAGE)
        must_own("maintain")
        if not options["dry_run"] and not options["yes"] and not self._agreed():
            return
        self._stop = threading.Event()
        if options["loop"]:
            self._loop(options)
        else:
            self._once(options)

    def _agreed(self) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Add --yes to run, or --dry-run to see what it would do.", returncode=WRONG_USAGE)
        agreed = input("Remove what is older than is kept, for good? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stderr.write("Nothing was changed.")
        return agreed

    def _loop(self, options: dict[str, Any]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        while not self._stop.is_set():
            try:
                self._once(options)
            except CommandError as error:
                self.stderr.write(f"{error} Next run in {options['loop']:g} s.")
            connections.close_all()
            self._stop.wait(options["loop"])
        self.stderr.write("Stopped.")

    def _once(self, options: dict[str, Any]) -> None:
        try:
            with only_one("maintain") as ours:
                if not ours:
                    raise CommandError("Another 'maintain' is at it: nothing was done.", returncode=NOT_READY)
                ended = list(self._round(options))
        except LockFault as error:
            raise CommandError(f"{error}.", returncode=NOT_READY) from None
        except Stopped:
            return
        if options["format"] == "json":
            self.stdout.write(as_json(dry_run=options["dry_run"], steps=[as_row(each) for each in ended]))
        _judge(ended)

    def _round(self, options: dict[str, Any]) -> Iterator[Ended]:
        for step in steps():
            if self._stop.is_set():
                raise Stopped
            ended = take(step, self._progress(step.name), dry_run=options["dry_run"])
            if options["format"] == "table":
                self.stdout.write(as_line(ended))
            yield ended

    def _progress(self, name: str) -> Say:
        """What a step calls now and then: a line on stderr, at most one a second. It raises Stopped."""
        last = 0.0

        def say(line: str) -> None:
            nonlocal last
            if time.monotonic() - last >= SLOW_S:
                last = time.monotonic()
                self.stderr.write(f"{name}: {line}")
            if self._stop.is_set():
                raise Stopped

        return say


def _judge(ended: list[Ended]) -> None:
    """Raise CommandError where a step failed, had to be put off, or found something."""
    failed = [each.name for each in ended if each.fault and not each.is_busy]
    if failed:
        raise CommandError(f"Failed: {', '.join(failed)}. The other steps ran.", returncode=FAILED)
    if late := [each.name for each in ended if each.is_busy]:
        raise CommandError(f"Put off: {', '.join(late)}. Run it again when that has ended.", returncode=NOT_READY)
    if found := [each.name for each in ended if each.done and each.done.is_finding]:
        raise Findings(f"To be looked at: {', '.join(found)}.")


def as_line(ended: Ended) -> str:
    """A step in one line."""
    return f"{ended.name:<12}{ended.fault or (ended.done.line if ended.done else '')} ({ended.seconds:.1f} s)"


def as_row(ended: Ended) -> dict[str, Any]:
    """A step in JSON."""
    done = ended.done
    return {
        "step": ended.name,
        "seconds": ended.seconds,
        "line": done.line if done else "",
        "counts": dict(done.counts) if done else {},
        "finding": bool(done and done.is_finding),
        "fault": ended.fault,
    }
