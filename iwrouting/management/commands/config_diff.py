"""`manage.py config_diff`: two revisions of the configuration, field by field."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.moments import moment, revision_of
from iwrouting.management.output import Findings, add_format, as_json
from iwrouting.management.plan_output import change_json, in_order, show_changes
from iwrouting.management.planned import count, refused
from iwrouting.models import Revision
from iwrouting.planning import plan_between
from iwrouting.snapshot.contents import contents_at

EPILOG = """examples:
  manage.py config_diff 41 43
  manage.py config_diff 2026-11-01T00:00:00Z                what has changed since then
  manage.py config_diff 41 43 --format json
Exit codes: 0 no differences, 1 there is no such revision, 3 differences.
"""


class Command(BaseCommand):
    """Compare; changes nothing."""

    help = "Show what differs between two revisions, or between one and the last; exit code 3: differences."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("before", type=moment, metavar="REVISION|TIME", help="From here.")
        parser.add_argument(
            "after", type=moment, nargs="?", metavar="REVISION|TIME", help="To there (default: the last revision)."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and show."""
        with refused():
            before = revision_of(options["before"])
            after = Revision.current() if options["after"] is None else revision_of(options["after"])
            plan = plan_between(contents_at(before), contents_at(after), before)
        if options["format"] == "json":
            changes = [change_json(row) for row in in_order(plan.changes)]
            self.stdout.write(as_json(before=before, after=after, changes=changes))
        elif text := show_changes(plan.changes):
            self.stdout.write(text)
        if plan.changes:
            raise Findings(f"{count(plan)} of revision {after} differs from {before}.")
        self.stderr.write(f"Revision {after} is as revision {before} was.")
