"""`manage.py reporting dictionary`: what every view and column means."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import as_csv, as_json, as_jsonl, as_table
from iwrouting.reports.dictionary import as_page, as_rows, dictionary

NAME = "dictionary"
HELP = "Print what every view and column means, as docs/sql/dictionary.md has it."
EPILOG = """examples:
  manage.py reporting dictionary
  manage.py reporting dictionary --view rpt_decisions_v1 --format table
  manage.py reporting dictionary --format csv > dictionary.csv
"""
COLUMNS = ("view", "column", "type", "meaning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--view", action="append", metavar="NAME", help="This view alone; may be given again.")
    parser.add_argument(
        "--format", choices=("markdown", "table", "json", "jsonl", "csv"), default="markdown", help="Default: markdown."
    )


def run(command: BaseCommand, options: Mapping[str, Any]) -> None:
    """Print it. It reads no database: the same for both."""
    found = dictionary()
    wanted = options["view"] or [view.name for view in found]
    if unknown := set(wanted) - {view.name for view in found}:
        names = ", ".join(view.name for view in found)
        raise CommandError(f"No view {', '.join(sorted(unknown))}: there are {names}.", returncode=2)
    kept = [view for view in found if view.name in wanted]
    if options["format"] == "markdown":
        command.stdout.write(as_page(kept), ending="")
        return
    rows = as_rows(kept)
    told = {
        "table": lambda: as_table(COLUMNS, rows) + "\n",
        "json": lambda: as_json(columns=rows) + "\n",
        "jsonl": lambda: as_jsonl(rows),
        "csv": lambda: as_csv(COLUMNS, rows),
    }
    command.stdout.write(told[options["format"]](), ending="")
