"""`manage.py prices_sync`: the price table filled from the packaged price lists, previewed first."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.changing import add_author, change_by
from iwrouting.management.output import Findings, add_format, as_json, as_table, counted
from iwrouting.management.price_plan import Change
from iwrouting.management.price_table import PRICES, Sync, cells, plan_sync, prices_of, write
from iwrouting.types import PriceFacts

WRONG_USAGE = 2
COLUMNS = ("change", "model", "tier", "above", "from", "input", "cached", "write", "output", "until then")
EPILOG = """examples:
  manage.py prices_sync --dry-run            show what would change
  manage.py prices_sync                      show it, ask, and write it
  manage.py prices_sync --yes --format json  write it without asking
  manage.py prices_sync --model gpt-4.1      one model alone

The lists come with the package genai-prices; nothing is fetched. Prices are dollars per 1M tokens. Manual prices stay.
A changed price becomes a new one from now on: past costs keep theirs.
Exit codes: 0 done, 1 a named model is not known, 2 not confirmed, 3 a dry run found changes, 4 the database is not
ready.
"""


class Command(BaseCommand):
    """Preview, ask, write."""

    help = "Fill the price table from the price lists of the package genai-prices, offline; shows the changes first."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--model", action="append", metavar="ID", help="This model alone; may be given again.")
        add_author(parser, "Synced from the packaged price lists")
        parser.add_argument("--dry-run", action="store_true", help="Show the changes and write nothing.")
        parser.add_argument("--yes", action="store_true", help="Write the changes without asking.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the plan, then write what it would change."""
        sync = plan_sync(options["model"])
        self._show(sync, options["format"])
        count = len(sync.writes)
        if options["model"] and sync.lists.unknown:
            raise CommandError(f"No prices for {', '.join(sync.lists.unknown)}: nothing was written.")
        if not count:
            self.stderr.write(f"Nothing to change: the table says what {sync.lists.version} says.")
        elif options["dry_run"]:
            raise Findings(f"{counted(count, 'price')} would be written.")
        elif options["yes"] or self._agreed(count):
            with change_by(options):
                written = write(sync)
            self.stderr.write(f"Wrote {counted(len(written), 'price')} of {sync.lists.version}.")

    def _show(self, sync: Sync, form: str) -> None:
        if form == "json":
            unknown = [{"model": model_id, "reason": reason} for model_id, reason in sync.lists.unknown.items()]
            entries = [_entry(change) for change in sync.changes]
            self.stdout.write(as_json(source=sync.lists.version, changes=entries, unknown=unknown))
        else:
            self.stdout.write(as_table(COLUMNS, [cells(change) for change in sync.changes]))
        for model_id, reason in sync.lists.unknown.items():
            self.stderr.write(f"{model_id}: not synced, {reason}.")

    def _agreed(self, count: int) -> bool:
        if not sys.stdin.isatty():
            raise CommandError(
                f"{counted(count, 'price')} would be written (above). Add --yes to do it.", returncode=WRONG_USAGE
            )
        agreed = input(f"Write {counted(count, 'price')}? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stderr.write("Nothing was changed.")
        return agreed


def _entry(change: Change) -> dict[str, Any]:
    after, before = change.after, change.before
    return {
        "change": change.action,
        "model": change.model_id,
        "service_tier": after.service_tier,
        "above_input_tokens": after.above_input_tokens,
        "valid_from": after.valid_from.isoformat(),
        "usd_per_million": _named(after),
        "before": None if before is None else {"version": before.version, "usd_per_million": _named(before)},
    }


def _named(price: PriceFacts) -> dict[str, str | None]:
    return dict(zip((name.removesuffix("_pico") for name in PRICES), prices_of(price), strict=True))
