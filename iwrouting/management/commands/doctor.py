"""`manage.py doctor`: what is wrong with this deployment, and what to do about it."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.conf import settings
from iwrouting.conf.sqlite import need_file
from iwrouting.management.database import NOT_READY
from iwrouting.management.doctor import Level, Result, examine
from iwrouting.management.output import Findings, add_format, as_json, counted

EPILOG = """examples:
  manage.py doctor
  manage.py doctor --skip-invariants
  manage.py doctor --format json
Run it as the service runs: same user, same environment, same container. It changes nothing.
Exit codes: 0 nothing is wrong (there may be warnings), 3 there are findings, 4 the database can't be asked.
"""


class Command(BaseCommand):
    """Look, and say; changes nothing."""

    help = "Check settings, database, journal, snapshot, audit and its invariants, and say what to do."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--skip-invariants", action="store_true", help="Leave out the queries that read the whole audit."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look."""
        need_file()
        results = list(examine(settings(), with_invariants=not options["skip_invariants"]))
        lines = map(as_line, results)
        rows = [as_row(result) for result in results]
        self.stdout.write(as_json(checks=rows) if options["format"] == "json" else "\n".join(lines))
        counts = Counter(result.level for result in results)
        if counts[Level.NOT_READY]:
            raise CommandError("The database can't be asked; the lines above say why.", returncode=NOT_READY)
        if found := counts[Level.FINDING]:
            raise Findings(f"{counted(found, 'finding')}; the lines above say what to do.")
        self.stderr.write(f"Nothing is wrong; {counted(counts[Level.WARNING], 'warning')}.")


def as_line(result: Result) -> str:
    """A result as people read it."""
    line = f"{result.level.value:<10}{result.check}: {result.message}"
    return f"{line}. {result.next_step}" if result.next_step else line


def as_row(result: Result) -> dict[str, Any]:
    """A result as the command shows it."""
    return {
        "check": result.check,
        "level": result.level.value,
        "message": result.message,
        "next_step": result.next_step,
    }
