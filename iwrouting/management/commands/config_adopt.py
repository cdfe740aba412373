"""`manage.py config_adopt`: what somebody changed by SQL is adopted, or put back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.changing import author_of
from iwrouting.management.output import Findings
from iwrouting.management.plan_output import show_plan
from iwrouting.management.planned import acknowledge, add_asking, agreed, count, need_reason, refused, tell
from iwrouting.models import Revision
from iwrouting.planning import Rehearsal
from iwrouting.planning.adopting import adopt, changed_by_sql, discard, rehearse_adoption, unchanged
from iwrouting.snapshot import SnapshotRefused

EPILOG = """examples:
  manage.py config_adopt --dry-run                                   what SQL left, and whether it can be adopted
  manage.py config_adopt --reason "Mended by hand, ticket 812"       give it a revision
  manage.py config_adopt --discard --reason "Nobody knows of it"     put back what history has
Until one of them is done, workers serve the revision before, and no other change is taken (docs/configuration.md).
Exit codes: 0 done or nothing waits, 1 refused, 2 not confirmed, 3 a dry run: it waits, 4 the database is not ready.
"""
NOT_ADOPTED = "This can't be adopted: put it right by SQL, or run it with --discard."


class Command(BaseCommand):
    """Show, ask, adopt or discard."""

    help = "Adopt a change that was made by SQL as a revision, after every check of a change; or put it back."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--discard", action="store_true", help="Put every row back as history has it.")
        parser.add_argument("--reason", default="", help="Why; the change list keeps it. Needed but for --dry-run.")
        parser.add_argument("--as", dest="user", default="", metavar="USER", help="Who does it (default: you).")
        add_asking(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, then do it."""
        if not options["dry_run"]:
            need_reason(options["reason"])
        counter = Revision.standing()
        if not counter.is_touched:
            self.stderr.write("Nothing waits: nobody has changed the configuration by SQL.")
            return
        tried = self._look(options)
        if options["dry_run"]:
            raise Findings("A change by SQL waits to be adopted or discarded.")
        acknowledged = acknowledge(tried.findings, options["acknowledge"], yes=options["yes"])
        what = "Put back" if options["discard"] else "Adopt"
        if not agreed(self, options["yes"], f"{what} this?"):
            return
        who = {"author": author_of(options["user"]), "reason": options["reason"]}
        with refused(), unchanged(counter.touches):
            made = discard(**who) if options["discard"] else adopt(**who, acknowledged=acknowledged)
        done = "as history has it" if options["discard"] else "adopted"
        self.stderr.write(f"The configuration is {done}: revision {made.revision}.")

    def _look(self, options: Mapping[str, Any]) -> Rehearsal:
        """Show what SQL left, and how an adoption would end. Raises CommandError where it would be refused."""
        with refused():
            try:
                waiting = changed_by_sql()
            except SnapshotRefused as error:
                if not options["discard"]:
                    raise CommandError(f"{NOT_ADOPTED} It can't be read: {error}.") from None
                self.stderr.write(f"What SQL left can't be read: {error}.")
                return Rehearsal()
            tried = Rehearsal() if options["discard"] else rehearse_adoption()
        if waiting is not None:
            if text := show_plan(waiting.plan, tried, (), options["format"]):
                self.stdout.write(text)
            self.stderr.write(f"By SQL since revision {waiting.base}: {count(waiting.plan)}.")
        tell(self, (), tried.findings)
        if tried.faults:
            raise CommandError("\n".join([NOT_ADOPTED, *tried.faults]))
        return tried
