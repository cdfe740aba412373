"""`manage.py routing_override`: overrides from the command line, also where the database is away."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.break_glass import agreed, lift, plain, switch_off
from iwrouting.management.changing import add_author, change_by
from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.models import Override

EPILOG = """examples:
  manage.py routing_override disable 12 --reason "gpt-5.1 is down, back to the default" --yes
  manage.py routing_override disable 12 --from-snapshot --reason "The same, while the database is away" --yes
  manage.py routing_override disable 12 --from-snapshot --end --reason "It is well again" --yes
--from-snapshot switches it off on this host alone and asks no database. It holds until the override is disabled in the
database or --end lifts it, and stands in the change list as soon as the database is back.
"""
COLUMNS = ("ref", "told", "host", "at", "by", "reason", "ended_at", "ended_by", "ended_reason")


class Command(BaseCommand):
    """Do one thing to one override."""

    help = "Disable an override; with --from-snapshot on this host alone, without the database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("action", choices=("disable",))
        parser.add_argument("override", type=int, metavar="ID", help="The number of the override.")
        parser.add_argument("--from-snapshot", action="store_true", help="Without the database, on this host alone.")
        parser.add_argument("--end", action="store_true", help="Lift what --from-snapshot did.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument("--dry-run", action="store_true", help="Show what would be; change nothing.")
        add_author(parser)
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["end"] and not options["from_snapshot"]:
            raise CommandError("--end lifts what --from-snapshot did: name both.", returncode=2)
        where = " on this host alone" if options["from_snapshot"] else ""
        what = "Let count again" if options["end"] else "Disable"
        if not options["dry_run"] and not options["yes"] and not agreed(f"{what} {options['override']}{where}?"):
            self.stderr.write("Nothing was changed.")
            return
        if options["from_snapshot"]:
            self._without_database(options)
        else:
            self._disable(options)

    def _without_database(self, options: dict[str, Any]) -> None:
        pane = lift(options["override"], options) if options["end"] else switch_off(options["override"], options)
        row = plain(pane)
        self.stdout.write(as_json(**row) if options["format"] == "json" else as_table(COLUMNS, [row]))
        if options["dry_run"]:
            self.stderr.write("Nothing was changed.")
        elif options["end"]:
            self.stderr.write(f"{pane.ref} ({pane.told}) counts again on {pane.host} within about a second.")
        else:
            self.stderr.write(
                self.style.ERROR(
                    f"BREAK-GLASS: {pane.ref} ({pane.told}) is switched off on {pane.host} ALONE, within about a "
                    "second, whatever the database says."
                )
            )
            self.stderr.write("Do the same on every other host. Once the database is back, disable it for all:")
            self.stderr.write(f"  manage.py routing_override disable {options['override']} --reason ...")

    def _disable(self, options: dict[str, Any]) -> None:
        with change_by(options):
            row = Override.objects.filter(pk=options["override"]).select_related("alias", "project").first()
            if row is None:
                raise CommandError(f"There is no override {options['override']}: the admin lists them.")
            was = row.enabled
            row.enabled = False
            if not options["dry_run"]:
                row.save()
        would = "Would disable" if options["dry_run"] else "Disabled"
        self.stderr.write(f"{would} {row}." if was else f"{row} is disabled already.")
