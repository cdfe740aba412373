"""`manage.py config_history`: the change list: when, who, by which way, what, and why."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.history_lines import COLUMNS, Asked, as_cells, history_lines
from iwrouting.management.moments import time
from iwrouting.management.objects import add_objects
from iwrouting.management.output import add_format, as_csv, as_json, as_jsonl, as_table
from iwrouting.types import ChangeKind

MOST = 10_000
EPILOG = """examples:
  manage.py config_history
  manage.py config_history --object alias:manager --object "override:manager for atlas"
  manage.py config_history --since 2026-11-01T00:00:00Z --author ann --format csv
The newest first. A table shows the first objects of a line; json and jsonl have all of them with every field.
"""


class Command(BaseCommand):
    """Show lines; changes nothing."""

    help = "Show who changed the configuration, when, by which way, what, and why."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_objects(parser, "Changes of this object alone; may be given again.")
        parser.add_argument("--since", type=time, metavar="TIME", help="From then on.")
        parser.add_argument("--author", default="", metavar="NAME", help="By this author.")
        parser.add_argument(
            "--kind", default="", choices=[kind.value for kind in ChangeKind], help="Lines of this kind."
        )
        parser.add_argument("--limit", type=limit, default=50, metavar="N", help="At most so many lines (50).")
        add_format(parser, "jsonl", "csv")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, and show."""
        names = ("objects", "since", "author", "kind", "limit")
        lines = history_lines(Asked(**{name: options[name] for name in names}))
        cells = [as_cells(line) for line in lines]
        if options["format"] == "json":
            self.stdout.write(as_json(changes=lines))
        elif options["format"] == "jsonl":
            self.stdout.write(as_jsonl(lines), ending="")
        elif options["format"] == "csv":
            self.stdout.write(as_csv(COLUMNS, cells), ending="")
        elif cells:
            self.stdout.write(as_table(COLUMNS, cells))
        if not lines:
            self.stderr.write("No changes that fit: leave out an option, or ask for an earlier --since.")
        elif len(lines) == options["limit"]:
            self.stderr.write(f"The newest {len(lines)}: --limit shows more.")


def limit(text: str) -> int:
    """The value of --limit: a whole number from 1 to 10,000."""
    if text.isdecimal() and 1 <= int(text) <= MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MOST:,}")
