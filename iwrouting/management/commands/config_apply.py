"""`manage.py config_apply`: make the configuration what a bundle says, all or nothing."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.bundle_files import check_plan_file, plan_bundle_file, read_bundle_file
from iwrouting.management.planned import add_planned, carry_out, need_reason, refused
from iwrouting.types import Via

EPILOG = """examples:
  manage.py config_apply iwrouting.yaml --reason "Ticket 812: gpt-5.1 for the manager"
  manage.py config_apply iwrouting.yaml --plan plan.json --reason "$CI_COMMIT_MESSAGE" --yes
  manage.py config_apply iwrouting.yaml --reason "Known" --acknowledge price_missing --yes
All or nothing, as one revision. With --plan it does exactly what was planned, or nothing.
Exit codes: 0 done or nothing to do, 1 refused, 2 not confirmed, 3 a dry run found changes, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Plan, show, ask, apply."""

    help = "Apply a bundle: shows the changes, asks, and makes all of them or none, as one revision."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("file", help="The bundle; - for standard input.")
        parser.add_argument("--plan", metavar="PLANFILE", help="What config_plan --output wrote: do that or nothing.")
        parser.add_argument("--prune", action="store_true", help="Delete what a section of the bundle does not have.")
        add_planned(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply it."""
        need_reason(options["reason"])
        bundle = read_bundle_file(options["file"])
        with refused():
            planned = plan_bundle_file(bundle, prune=options["prune"])
            if options["plan"]:
                check_plan_file(options["plan"], planned.plan, prune=options["prune"])
        carry_out(
            self,
            planned.plan,
            options,
            kept=planned.kept,
            place=bundle.placed,
            via=Via.IMPORT,
            details={"bundle": bundle.file},
        )
