"""`manage.py matrix_replace`: put another model in the place of one, wherever the configuration names it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.changing import add_author
from iwrouting.management.commands.routing_whatif import days
from iwrouting.management.overriding import Overriding
from iwrouting.management.planned import WRONG_USAGE, add_asking, carry_out, need_reason, refused
from iwrouting.management.replacing import beside, undo_command
from iwrouting.planning.replacing import CannotReplace, Part, Replacing, Swaps, plan_replacing, swap_ending, swap_one
from iwrouting.planning.whatif import DAYS, MAX_DAYS
from iwrouting.snapshot.contents import configuration_of
from iwrouting.types import Configuration

EPILOG = f"""examples:
  manage.py matrix_replace gpt-4.1 gpt-5-mini --dry-run
  manage.py matrix_replace gpt-4.1 --dry-run             by what the catalogue names for it
  manage.py matrix_replace gpt-4.1 gpt-5-mini --reason "Ticket 812: it ends in January" --acknowledge all
  manage.py matrix_replace gpt-4.1 gpt-5-mini --only overrides --project atlas --reason "Ticket 812" --yes
  manage.py matrix_replace --dead --dry-run              all models that are gone, by what the catalogue names
  manage.py matrix_replace --dying --no-whatif --reason "Before they end" --acknowledge all --yes
Defaults, overrides (scheduled and switched off ones too) and chains, as one revision. It shows the changes and what
they bring, how the models differ, what goes on naming the old one, and the last {DAYS} days' calls through the change.
Exit codes: 0 done or nothing to do, 1 refused, 2 not confirmed, 3 a dry run found changes, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Plan, compare, show, ask, replace."""

    help = "Replace a model everywhere: defaults, overrides and chains, as one change, with its what-if before."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("old", nargs="?", metavar="OLD", help="The model that is to go.")
        parser.add_argument(
            "new", nargs="?", default="", metavar="NEW", help="By this one; else as the catalogue says."
        )
        parser.add_argument("--dead", action="store_true", help="All models that are past their shutdown, no OLD.")
        parser.add_argument("--dying", action="store_true", help="And those that will be (IW_LIFECYCLE_WARNING_DAYS).")
        names = ",".join(Part)
        parser.add_argument(
            "--only", type=parts, default=tuple(Part), metavar="PARTS", help=f"Only these of {names} (default: all)."
        )
        parser.add_argument("--project", default="", metavar="SLUG", help="Only overrides of this project.")
        parser.add_argument("--days", type=days, default=DAYS, help=f"Days of the what-if, 1 to {MAX_DAYS} ({DAYS}).")
        parser.add_argument("--no-whatif", action="store_true", help="Without comparing the calls of the last days.")
        add_author(parser, required=False)
        add_asking(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace."""
        if fault := misused(options):
            raise CommandError(fault, returncode=WRONG_USAGE)
        if not options["dry_run"]:
            need_reason(options["reason"])
        at = datetime.now(UTC)
        with refused():
            work = Overriding.begin()
            config = configuration_of(work.now, work.base)
            project = work.project(options["project"])
            swaps = _swaps(config, at, options)
            found = plan_replacing(work.now, config, swaps, at, parts=options["only"], project=project)
        self._tell(found)
        made = carry_out(self, found.plan, options, beside=beside(self, found, at, options))
        if made is not None:
            self.stderr.write(f"To undo it:\n  {undo_command(found.plan)}")

    def _tell(self, found: Replacing) -> None:
        for old, new in found.swaps.models.items():
            self.stderr.write(f"{old} -> {new}")
        for line in found.swaps.without:
            self.stderr.write(line)
        if not found.swaps.models:
            self.stderr.write("No model that is named is to be replaced.")


def misused(options: Mapping[str, Any]) -> str:
    """What is wrong with the options together; empty for nothing."""
    every = options["dead"] or options["dying"]
    if every and options["old"]:
        return "--dead and --dying choose the models: leave OLD and NEW out."
    if not every and not options["old"]:
        return "Name the model that is to go, or give --dead or --dying; manage.py lifecycle_check lists those."
    if options["project"] and Part.OVERRIDES not in options["only"]:
        return "--project is about overrides: let --only have them too, or leave it out."
    return ""


def parts(text: str) -> tuple[Part, ...]:
    """The value of --only."""
    try:
        return tuple(dict.fromkeys(Part(each.strip()) for each in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: give any of {', '.join(Part)}, with commas between") from None


def _swaps(config: Configuration, at: datetime, options: Mapping[str, Any]) -> Swaps:
    if options["dead"] or options["dying"]:
        return swap_ending(config, at.date(), config.lifecycle_warning_days if options["dying"] else 0)
    try:
        return swap_one(config, options["old"], options["new"], at.date())
    except CannotReplace as error:
        raise CommandError(str(error)) from None
