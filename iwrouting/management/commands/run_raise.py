"""`manage.py run_raise`: a higher limit for one run, recorded with its reason."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.management.run_rows import add_run, as_row, find_run

WRONG_USAGE = 2
EPILOG = """examples:
  manage.py run_raise nightly-42 --project atlas --by 200000 --reason "The import is larger than planned"
  manage.py run_raise nightly-42 --to 1000000 --reason "Agreed with the owner" --yes
  manage.py run_raise nightly-42 --to 1000000 --reason "Agreed with the owner" --dry-run
Holds for this run alone, at once, on every worker. It can't be undone, only raised again.
"""


class Command(BaseCommand):
    """Raise, record, and show the run as it is then."""

    help = "Raise the token limit of one run. The change is recorded: who, when, why, from what to what."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_run(parser)
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--to", type=int, metavar="TOKENS", help="The new limit.")
        how.add_argument("--by", type=int, metavar="TOKENS", help="So many more than the limit now.")
        parser.add_argument("--reason", required=True, help="Why; at least 5 characters.")
        parser.add_argument("--as", dest="user", default="", metavar="USER", help="Who does it (default: you).")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument("--dry-run", action="store_true", help="Show the run as it would be; change nothing.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise it."""
        if not options["dry_run"] and not options["yes"] and not self._agreed(options["run"]):
            return
        try:
            with transaction.atomic():
                run = find_run(options["run"], options["project"])
                made = run.raise_limit(
                    to=options["to"],
                    more=options["by"],
                    reason=options["reason"],
                    by=_known(options["user"]) if options["user"] else getpass.getuser(),
                    via="CLI",
                )
                row = as_row(run)
                transaction.set_rollback(options["dry_run"])
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from None
        self.stdout.write(as_json(**row) if options["format"] == "json" else as_table(tuple(row), [row]))
        would = "Would raise" if options["dry_run"] else "Raised"
        self.stderr.write(f"{would} the limit of {run} from {made.before_tokens} to {made.after_tokens} tokens.")

    def _agreed(self, run: str) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Add --yes to raise the limit, or --dry-run to see it.", returncode=WRONG_USAGE)
        agreed = input(f"Raise the limit of {run}? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stderr.write("Nothing was changed.")
        return agreed


def _known(name: str) -> str:
    """The name of a user of the admin. Raises CommandError for any other: a record must not name nobody."""
    if not get_user_model().objects.filter(username=name).exists():
        raise CommandError(f"--as {name}: there is no such user. Name one of the admin's, or leave it out.")
    return name
