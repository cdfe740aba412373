"""`manage.py config_plan`: what applying a bundle would change; changes nothing."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.bundle_files import plan_bundle_file, read_bundle_file, write_plan_file
from iwrouting.management.output import Findings, add_format
from iwrouting.management.planned import count, refused, try_out

EPILOG = """examples:
  manage.py config_plan iwrouting.yaml
  manage.py config_plan iwrouting.yaml --prune --output plan.json
  git show HEAD:iwrouting.yaml | manage.py config_plan - --format json
A section that the file has is the whole truth for its objects; one that it does not have is left alone. What a section
lacks is kept, or deleted with --prune. The plan file holds the revision and a digest: config_apply --plan refuses to do
anything else.
Exit codes: 0 no differences, 1 it can't be applied, 3 differences, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Show a plan."""

    help = "Show what applying a bundle would change: objects made, changed, deleted, kept; exit code 3: differences."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("file", help="The bundle; - for standard input.")
        parser.add_argument("--prune", action="store_true", help="Delete what a section of the bundle does not have.")
        parser.add_argument("--output", metavar="PLANFILE", help="Write down what was planned, for config_apply.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan it."""
        bundle = read_bundle_file(options["file"])
        with refused():
            planned = plan_bundle_file(bundle, prune=options["prune"])
        try_out(self, planned.plan, options, kept=planned.kept, place=bundle.placed)
        if options["output"]:
            write_plan_file(options["output"], planned.plan, prune=options["prune"])
        if planned.plan.changes:
            raise Findings(f"{count(planned.plan)} would change.")
        self.stderr.write(f"No differences: the configuration of revision {planned.plan.base} is as the bundle says.")
