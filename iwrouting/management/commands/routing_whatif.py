"""`manage.py routing_whatif`: what a change would have done to the calls of the last days."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting import catalogue
from iwrouting.management.output import Findings, add_format, as_json
from iwrouting.management.progress import Progress
from iwrouting.management.what_if_output import sentence, tables
from iwrouting.planning.whatif import DAYS, MAX_DAYS, Told, what_if
from iwrouting.planning.whatif.proposals import BadProposal, Proposal, Wish, propose, propose_bundle

WRONG_USAGE = 2
EPILOG = """examples:
  manage.py routing_whatif --override manager=gpt-4.1
  manage.py routing_whatif --override manager=gpt-4.1 --project atlas --days 30
  manage.py routing_whatif --override manager=            as if it had no override
  manage.py routing_whatif --default code=gpt-5.1 --default fast=gpt-4.1-nano
  manage.py routing_whatif --profile design --format json
  manage.py routing_whatif --bundle iwrouting.yaml --days 30
Calls no model and changes nothing. docs/what-if.md says what is assumed. Exit code 3: there are conflicts, or the
change could not be saved as it is.
"""


class Command(BaseCommand):
    """Compare; changes nothing."""

    help = "Run the calls of the last days through a proposed change: models, costs and conflicts, without any call."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--override",
            metavar="ALIAS=MODEL",
            action="append",
            default=[],
            type=pair,
            help="A model put in the database for an alias; empty takes the override away. May be repeated.",
        )
        parser.add_argument("--project", metavar="SLUG", help="The overrides are of this project (default: of all).")
        parser.add_argument(
            "--default",
            metavar="ALIAS=MODEL",
            action="append",
            default=[],
            type=pair,
            help="Another default of an alias. May be repeated.",
        )
        parser.add_argument("--profile", choices=catalogue.PROFILES, help="All defaults of a profile of the matrix.")
        parser.add_argument("--bundle", metavar="FILE", help="A whole bundle of config_export, - for stdin; alone.")
        parser.add_argument("--prune", action="store_true", help="Without what the bundle does not have.")
        parser.add_argument("--days", type=days, default=DAYS, help=f"How far back, 1 to {MAX_DAYS} ({DAYS}).")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare."""
        proposal = self._proposal(options)
        progress = Progress(self.stderr.write)

        def tell(told: Told) -> None:
            progress(lambda: f"{told.part:.0%} of the window, {told.decisions} decisions")

        end = datetime.now(UTC)
        start = end - timedelta(days=options["days"])
        found = what_if(proposal.before, proposal.after, start, end, progress=tell)
        if options["format"] == "json":
            self.stdout.write(as_json(proposal=proposal.as_dict(), **found.as_dict()))
        else:
            self.stdout.write(f"{sentence(found)}\n")
            self.stdout.write("\n".join(tables(found, proposal)))
            for line in found.assumed:
                self.stderr.write(f"Assumed: {line}")
        for line in proposal.refused:
            self.stderr.write(f"It could not be saved as it is: {line}")
        if kinds := dict.fromkeys(each.kind for each in found.conflicts):
            raise Findings(f"Conflicts: {', '.join(kinds)}.")
        if proposal.refused:
            raise Findings("The change would be refused.")

    def _proposal(self, options: dict[str, Any]) -> Proposal:
        if fault := misused(options):
            raise CommandError(fault, returncode=WRONG_USAGE)
        try:
            if options["bundle"]:
                return propose_bundle(read(options["bundle"]), options["bundle"], prune=options["prune"])
            wish = Wish()
            if options["profile"]:
                wish.profile(options["profile"])
            for alias, model in options["default"]:
                wish.default(alias, model)
            for alias, model in options["override"]:
                wish.override(alias, model or None, options["project"])
            return propose(wish)
        except BadProposal as error:
            raise CommandError(str(error)) from None


def misused(options: Mapping[str, Any]) -> str:
    """What is wrong with the options together; empty for nothing."""
    single = options["override"] or options["default"] or options["profile"]
    if not single and not options["bundle"]:
        return "Nothing is proposed: give --override, --default, --profile or --bundle."
    if single and options["bundle"]:
        return "--bundle is a whole proposal: give it alone."
    if options["project"] and not options["override"]:
        return "--project says whose overrides they are: give --override too."
    return "--prune goes with --bundle." if options["prune"] and not options["bundle"] else ""


def read(name: str) -> bytes:
    """The bytes of a file, or of stdin for `-`. Raises BadProposal."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise BadProposal(f"{name} can't be read: {error.strerror}.") from None


def pair(text: str) -> tuple[str, str]:
    """The value of --override and --default."""
    alias, equals, model = text.partition("=")
    if not alias or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no ALIAS=MODEL, such as manager=gpt-4.1")
    return alias, model


def days(text: str) -> int:
    """The value of --days."""
    if text.isdecimal() and 1 <= int(text) <= MAX_DAYS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MAX_DAYS}")
