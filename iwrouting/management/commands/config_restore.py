"""`manage.py config_restore`: rows, or the whole configuration, as they were under a revision."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.moments import add_moment, revision_of
from iwrouting.management.objects import add_objects
from iwrouting.management.planned import add_planned, carry_out, need_reason, refused
from iwrouting.planning.restoring import NoSuchObject, apply_restoration, plan_restore

EPILOG = """examples:
  manage.py config_restore --revision 41 --reason "Back to before the incident" --dry-run
  manage.py config_restore --revision 41 --object "override:manager for atlas" --reason "It was right" --yes
A restore is a planned change with a new revision; history stays. What was not there then is deleted, what was deleted
since comes back. API keys stay as they are unless named, and a revoked one stays revoked; prices in force stay.
Exit codes: 0 done or nothing to do, 1 refused, 2 not confirmed, 3 a dry run found changes, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Plan, show, ask, restore."""

    help = (
        "Bring one object, or the whole configuration, back to what it was under a revision; shows the changes first."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_moment(parser, "--revision", "Back to then")
        add_objects(parser, "This object alone; may be given again. Default: everything but API keys.")
        add_planned(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore."""
        need_reason(options["reason"])
        if options["revision"] is None:
            raise CommandError("--revision: say which one; config_history lists them.", returncode=2)
        with refused():
            try:
                restoration = plan_restore(revision_of(options["revision"]), options["objects"] or None)
            except NoSuchObject as error:
                raise CommandError(str(error)) from None
        carry_out(
            self,
            restoration.plan,
            options,
            kept=restoration.kept,
            stops=restoration.faults,
            apply=lambda made: apply_restoration(restoration, made),
        )
