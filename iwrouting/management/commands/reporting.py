"""`manage.py reporting`: upkeep of what analysts read; each of its subcommands is a module of management/reporting."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.reporting import SUBCOMMANDS

EXAMPLE = "  manage.py reporting "
EPILOG = "\n".join(
    ["examples:", *(line for each in SUBCOMMANDS for line in each.EPILOG.splitlines() if line.startswith(EXAMPLE))]
)


class Command(BaseCommand):
    """Hand over to the subcommand that was named."""

    help = "SQL reporting: who may read it, what it means, and its upkeep."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A parser for each subcommand, with its own examples."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        choices = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND", title="subcommands")
        for each in SUBCOMMANDS:
            sub = choices.add_parser(each.NAME, help=each.HELP, description=each.HELP, epilog=each.EPILOG)
            sub.formatter_class = argparse.RawDescriptionHelpFormatter
            each.add_arguments(sub)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        chosen = {each.NAME: each for each in SUBCOMMANDS}[options["subcommand"]]
        chosen.run(self, options)
