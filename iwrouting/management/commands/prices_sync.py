"""`manage.py prices_sync`: the price table filled from the packaged price lists, previewed first."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction
from django.utils import timezone

from iwrouting import catalogue
from iwrouting.management.price_lists import PriceLists, read_price_lists
from iwrouting.management.price_plan import Action, Change, Listed, plan
from iwrouting.models import Model, Price
from iwrouting.types import ALWAYS, PriceFacts

WRONG_USAGE, FINDINGS, NOT_READY = 2, 3, 4
PRICES = ("input_pico", "cached_pico", "cache_write_pico", "output_pico")
COLUMNS = ("change", "model", "tier", "above", "from", "input", "cached", "write", "output", "until then")
EPILOG = """examples:
  manage.py prices_sync --dry-run            show what would change
  manage.py prices_sync                      show it, ask, and write it
  manage.py prices_sync --yes --format json  write it without asking
  manage.py prices_sync --model gpt-4.1      one model alone

The lists come with the package genai-prices; nothing is fetched. Prices are dollars per 1M tokens. Manual prices stay.
A changed price becomes a new one from now on: past costs keep theirs.
Exit codes: 0 done, 2 not confirmed, 3 a dry run found changes, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Preview, ask, write."""

    help = "Fill the price table from the price lists of the package genai-prices, offline; shows the changes first."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--model", action="append", metavar="ID", help="This model alone; may be given again.")
        parser.add_argument("--dry-run", action="store_true", help="Show the changes and write nothing.")
        parser.add_argument("--yes", action="store_true", help="Write the changes without asking.")
        parser.add_argument("--format", choices=("table", "json"), help="Default: table on a terminal, json otherwise.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the plan, then write what it would change."""
        try:
            lists, changes = make_plan(options["model"])
        except DatabaseError as error:
            raise CommandError(f"The database is not ready ({type(error).__name__}).", returncode=NOT_READY) from None
        form = options["format"] or ("table" if self.stdout.isatty() else "json")
        self.stdout.write(_as_json(lists, changes) if form == "json" else _as_table(changes))
        self._tell_unknown(lists)
        writes = [change for change in changes if change.writes]
        if not writes:
            self.stderr.write(f"Nothing to change: the table says what {lists.version} says.")
        elif options["dry_run"]:
            raise CommandError(f"{len(writes)} prices would be written.", returncode=FINDINGS)
        elif options["yes"] or self._agreed(len(writes)):
            apply(writes, lists)
            self.stderr.write(f"Wrote {len(writes)} prices of {lists.version}.")

    def _tell_unknown(self, lists: PriceLists) -> None:
        for model_id, reason in lists.unknown.items():
            self.stderr.write(f"{model_id}: not synced, {reason}.")

    def _agreed(self, count: int) -> bool:
        if not sys.stdin.isatty():
            raise CommandError(f"{count} prices would be written (above). Add --yes to do it.", returncode=WRONG_USAGE)
        agreed = input(f"Write these {count} prices? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stderr.write("Nothing was changed.")
        return agreed


def make_plan(model_ids: Sequence[str] | None = None) -> tuple[PriceLists, list[Change]]:
    """The price lists, and what they would change: for these models, or all of the catalogue and of the database."""
    wanted = model_ids or sorted({*catalogue.models(), *Model.objects.values_list("model_id", flat=True)})
    lists = read_price_lists(wanted)
    table: dict[str, list[Listed]] = {}
    for row in Price.objects.filter(model_id__in=lists.prices):
        table.setdefault(row.model_id, []).append(Listed(row.facts, row.is_manual))
    return lists, plan(lists.prices, table, timezone.now())


@transaction.atomic
def apply(changes: Iterable[Change], lists: PriceLists) -> None:
    """Write the rows of a plan, all or none: a scheduled price of the same day is replaced, none in force is touched.

    What should hold from the plan's moment on holds from this one on: time may have passed while it was read.
    """
    now = timezone.now()
    for change in changes:
        known_as = lists.known_as[change.model_id]
        source = lists.version if known_as == change.model_id else f"{lists.version}, as {known_as}"
        values = {**asdict(change.after), "source": source, "is_manual": False}
        if change.action is Action.DIFFERS:
            values["valid_from"] = max(change.after.valid_from, now)
        at = {name: values.pop(name) for name in ("service_tier", "above_input_tokens", "valid_from")}
        row = Price.objects.filter(model_id=change.model_id, **at).first() or Price(model_id=change.model_id, **at)
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()


def _as_table(changes: Sequence[Change]) -> str:
    rows = [COLUMNS, *(_cells(change) for change in changes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(change: Change) -> tuple[str, ...]:
    after, before = change.after, change.before
    until_then = "" if before is None or change.action is Action.SAME else " / ".join(_prices(before))
    since = "always" if after.valid_from == ALWAYS else f"{after.valid_from:%Y-%m-%d %H:%M}"
    above = str(after.above_input_tokens or "")
    return (change.action, change.model_id, after.service_tier, above, since, *_prices(after), until_then)


def _prices(price: PriceFacts) -> list[str]:
    return [_dollars(getattr(price, name)) or "-" for name in PRICES]


def _dollars(pico: int | None) -> str | None:
    """Dollars per 1M tokens, exact; None for a price that is not known."""
    return None if pico is None else f"{pico // 10**6}.{pico % 10**6:06d}".rstrip("0").rstrip(".")


def _as_json(lists: PriceLists, changes: Sequence[Change]) -> str:
    return json.dumps(
        {
            "version": 1,
            "source": lists.version,
            "changes": [_entry(change) for change in changes],
            "unknown": [{"model": model_id, "reason": reason} for model_id, reason in lists.unknown.items()],
        },
        indent=1,
    )


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
    return {name.removesuffix("_pico"): _dollars(getattr(price, name)) for name in PRICES}
