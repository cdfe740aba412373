"""`manage.py audit_seal`: seal the heads of all chains now, and what to keep of it elsewhere."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.audit.tamper.findings import Tally, as_dict
from iwrouting.audit.tamper.sealed import Exported, as_row, check_seals
from iwrouting.audit.tamper.seals import MANUAL, make_seal
from iwrouting.management.chains import all_keys, exported_of
from iwrouting.management.output import Findings, add_format, as_json, as_table
from iwrouting.models import Seal

EPILOG = """examples:
  manage.py audit_seal                       seals now, beside the hourly seals of the workers
  manage.py audit_seal --export              the same, and prints the one line to keep elsewhere
  manage.py audit_seal --check iw-seal.812.20261101T030000Z.9f2c...
  manage.py audit_seal --list --limit 5
What was exported proves that nothing sealed by then was changed since, even by who has the key (docs/tamper.md).
Exit codes: 0 done, 3 the seals are not as they were made, 4 no database.
"""
COLUMNS = ("number", "at", "kind", "writers", "hash")


class Command(BaseCommand):
    """Makes a seal, or looks at those that are there."""

    help = "Seal the heads of all chains of the audit; export a seal to keep elsewhere, check one, or list them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--export", action="store_true", help="Print the value to keep elsewhere, alone on stdout.")
        what.add_argument(
            "--check", metavar="VALUE", type=exported_of, help="Compare an exported value with the seals."
        )
        what.add_argument("--list", action="store_true", help="List the seals, newest first; makes none.")
        parser.add_argument("--limit", metavar="N", type=int, default=20, help="How many --list shows (20).")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["check"] is not None:
            self._check(options["check"])
        elif options["list"]:
            self._show(list(Seal.objects.order_by("-number")[: max(0, options["limit"])]), options["format"])
        else:
            seal = make_seal(MANUAL)
            if options["export"]:
                self.stdout.write(str(Exported.of(seal)))
            else:
                self._show([seal], options["format"])

    def _show(self, seals: list[Seal], form: str) -> None:
        rows = [as_row(seal) for seal in seals]
        if form == "json":
            self.stdout.write(as_json(seals=rows))
        else:
            self.stdout.write(as_table(COLUMNS, rows))

    def _check(self, kept: Exported) -> None:
        tally = Tally()
        keys = {key.id: key for key in all_keys()}
        check_seals(keys, [kept], tally)
        if tally.findings:
            for found in map(as_dict, tally.findings):
                self.stderr.write(f"Seal {found['first']}: {found['text']}.")
            raise Findings("The seals are not as they were made.")
        self.stderr.write(
            f"Seal {kept.number} is the one that was exported, and all {tally.seals} seals fit. "
            "Whether the rows do: 'manage.py audit_verify --against' with this value."
        )
