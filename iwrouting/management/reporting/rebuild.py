"""`manage.py reporting rebuild`: make the cells of a range of time anew from the raw rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import Findings, counted
from iwrouting.management.owner import arm_points
from iwrouting.management.progress import Progress
from iwrouting.management.reconcile_input import moment_of
from iwrouting.reports.usage.rebuilding import Range, RawRowsGone, check, mark, trimmed
from iwrouting.reports.usage.rolling import roll

NAME = "rebuild"
HELP = "Make the cells of usage of a range of time anew from the raw rows."
EPILOG = """examples:
  manage.py reporting rebuild --from 2026-11-01 --dry-run
  manage.py reporting rebuild --from 2026-11-01 --to 2026-11-02 --yes
  manage.py reporting rebuild --from 2026-11-01T12:00:00Z --to 2026-11-01T13:00:00Z --yes

Reports are right all the time: what is not made anew yet is read from the raw rows. Ctrl-C ends it between two hours,
and workers, `maintain` or the same command go on; `reporting status` says what is left. Times without a zone are UTC.
Exit codes: 0 done, 1 the raw rows of a part were removed, 2 wrong usage or not confirmed, 3 done, but calls came too
late to count, 130 broken off.
"""
REFUSED, WRONG_USAGE, BROKEN_OFF = 1, 2, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--from", metavar="TIME", type=moment_of, required=True, help="From the quarter of this time.")
    parser.add_argument("--to", metavar="TIME", type=moment_of, help="Until before this time. Default: now.")
    parser.add_argument("--dry-run", action="store_true", help="Say what it would do; change nothing.")
    parser.add_argument("--yes", action="store_true", help="Do not ask.")


def run(command: BaseCommand, options: Mapping[str, Any]) -> None:
    """Rebuild. Raises CommandError."""
    arm_points()
    wanted = _range(options["from"], options["to"])
    try:
        check(wanted)
        wanted = trimmed(wanted)
        if not wanted.quarters:
            command.stderr.write("Nothing to make anew: there are no decisions and no cells of this time.")
        elif options["dry_run"]:
            command.stderr.write(f"Would make anew {_told(wanted)}.")
        elif options["yes"] or _agreed(command, wanted):
            _rebuild(command, wanted)
    except RawRowsGone as error:
        raise CommandError(
            f"{error}. Begin there: --from {error.before:%Y-%m-%dT%H:%MZ}.", returncode=REFUSED
        ) from None


def _range(begin: datetime, end: datetime | None) -> Range:
    until = end or datetime.now(UTC)
    if begin >= until:
        raise CommandError(
            f"Nothing lies between --from {begin:%Y-%m-%dT%H:%MZ} and --to {until:%Y-%m-%dT%H:%MZ}.",
            returncode=WRONG_USAGE,
        )
    return Range.around(begin, until)


def _told(wanted: Range) -> str:
    begin, end = (f"{each:%Y-%m-%d %H:%M}" for each in (wanted.begin, wanted.end))
    return f"{counted(wanted.quarters, 'quarter of an hour', 'quarters of an hour')}, from {begin} to {end} UTC"


def _agreed(command: BaseCommand, wanted: Range) -> bool:
    if not sys.stdin.isatty():
        raise CommandError("Add --yes to rebuild, or --dry-run to see what it would do.", returncode=WRONG_USAGE)
    agreed = input(f"Make anew {_told(wanted)}? [y/N] ").strip().lower() in ("y", "yes")
    if not agreed:
        command.stderr.write("Nothing was changed.")
    return agreed


def _rebuild(command: BaseCommand, wanted: Range) -> None:
    progress = Progress(command.stderr.write)
    try:
        mark(wanted)
        done = roll(lambda line: progress(lambda: line), after=wanted.begin, before=wanted.end)
    except KeyboardInterrupt:
        raise CommandError(
            "Broken off: reports are right, and workers or the next 'maintain' do the rest ('reporting status').",
            returncode=BROKEN_OFF,
        ) from None
    command.stderr.write(f"Made anew {_told(wanted)}: summed up {counted(done.quarters, 'quarter')}.")
    if done.late:
        raise Findings(f"{counted(done.late, 'call')} came after their month was removed and count in no report.")
