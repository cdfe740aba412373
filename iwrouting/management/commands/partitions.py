"""`manage.py partitions`: the months of the audit's tables on PostgreSQL, and the default partition emptied."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.audit.keeping import partitions
from iwrouting.audit.keeping.patience import Busy
from iwrouting.management.database import NOT_READY
from iwrouting.management.output import Findings, add_format, as_json, as_table, counted
from iwrouting.management.owner import arm_points, must_own

WRONG_USAGE = 2
EPILOG = """examples:
  manage.py partitions list               every partition with its size; exit code 3: a default partition holds rows
  manage.py partitions make --months 24   the months up to two years ahead
  manage.py partitions drain --dry-run    how many rows of which months a drain would move
  manage.py partitions drain --yes
Needs the owner of the tables, but for list. On SQLite there are no partitions, and nothing is done.
Exit codes: 0 done, 1 failed, 2 not confirmed, 3 a default partition holds rows, 4 the tables are in use.
"""
COLUMNS = ("table", "partition", "month", "rows", "bytes")
NO_PARTITIONS = "SQLite has no partitions: its tables are plain, and 'manage.py maintain' deletes old rows."


class Command(BaseCommand):
    """List, make, drain."""

    help = "Show and make the months of the audit's tables on PostgreSQL, and empty the default partition."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Subcommands and options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="list | make | drain")
        add_format(actions.add_parser("list", help="Show all; rows are estimates, but for the default partitions."))
        make = actions.add_parser("make", help="Make the months that are missing.")
        make.add_argument(
            "--months", type=int, default=partitions.MONTHS_AHEAD, metavar="N", help="So many ahead (12)."
        )
        drain = actions.add_parser("drain", help="Move the default partitions' rows to partitions of their months.")
        drain.add_argument("--yes", action="store_true", help="Do not ask.")
        for each in (make, drain):
            each.add_argument("--dry-run", action="store_true", help="Show what would be done; change nothing.")
            add_format(each)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked for."""
        if not partitions.has_partitions():
            self._show(options, [])
            self.stderr.write(NO_PARTITIONS)
            return
        arm_points()
        try:
            getattr(self, f"_{options['action']}")(options)
        except Busy as error:
            raise CommandError(f"Nothing was changed: {error}. Try again later.", returncode=NOT_READY) from None
        except partitions.PartitionsRefused as error:
            raise CommandError(f"Nothing was changed: {error}") from None

    def _list(self, options: dict[str, Any]) -> None:
        inside = partitions.default_rows()
        rows = [as_row(found, inside) for found in partitions.attached()]
        self._show(options, rows, default_rows=inside)
        if any(inside.values()):
            told = ", ".join(f"{at_most(count)} of {table}" for table, count in inside.items() if count)
            raise Findings(f"Default partitions hold rows: {told}. Run 'partitions drain'.")

    def _make(self, options: dict[str, Any]) -> None:
        if not 0 <= options["months"] <= 1200:
            raise CommandError(f"--months {options['months']}: must be from 0 to 1200.", returncode=WRONG_USAGE)
        if options["dry_run"]:
            missing = partitions.missing_months(options["months"])
            self._show(options, [{"table": table, "month": f"{month:%Y-%m}"} for table, month in missing])
            self.stderr.write(f"Would make {counted(len(missing), 'partition')}.")
            return
        must_own("partitions make")
        done = partitions.make_months(options["months"])
        self._show(options, [{"partition": name} for name in done.made])
        self.stderr.write(f"Made {counted(len(done.made), 'partition')}.")
        if done.blocked:
            months = ", ".join(f"{month:%Y-%m}" for month in done.blocked)
            raise Findings(f"{months}: not made, the default partition holds rows of it. Run 'partitions drain'.")

    def _drain(self, options: dict[str, Any]) -> None:
        found = partitions.default_months()
        if not any(found.values()):
            self._show(options, [])
            self.stderr.write("Nothing to move: the default partitions are empty.")
        elif options["dry_run"]:
            self._show(options, by_month(found))
            raise Findings(f"{counted(total(found), 'row')} would be moved.")
        else:
            must_own("partitions drain")
            if options["yes"] or self._agreed(total(found)):
                self.stderr.write(f"Moving {counted(total(found), 'row')}; the tables are locked meanwhile.")
                moved = partitions.drain()
                self._show(options, by_month(moved))
                self.stderr.write(f"Moved {counted(total(moved), 'row')}; the default partitions are new and empty.")

    def _agreed(self, count: int) -> bool:
        if not sys.stdin.isatty():
            raise CommandError(f"{counted(count, 'row')} would be moved. Add --yes to do it.", returncode=WRONG_USAGE)
        agreed = input(f"Move {counted(count, 'row')}? The audit's tables are locked meanwhile. [y/N] ").strip().lower()
        if agreed not in ("y", "yes"):
            self.stderr.write("Nothing was changed.")
        return agreed in ("y", "yes")

    def _show(self, options: dict[str, Any], rows: list[dict[str, Any]], **more: Any) -> None:
        if options["format"] == "json":
            self.stdout.write(as_json(partitions=rows, **more))
        elif rows:
            self.stdout.write(as_table([name for name in COLUMNS if name in rows[0]], rows))


def as_row(found: partitions.Partition, inside: Mapping[str, int]) -> dict[str, Any]:
    """A partition as the command shows it."""
    return {
        "table": found.table,
        "partition": found.name,
        "month": "default" if found.month is None else f"{found.month:%Y-%m}",
        "rows": inside[found.table] if found.month is None else found.rows,
        "bytes": found.bytes,
    }


def by_month(found: Mapping[str, Mapping[date, int]]) -> list[dict[str, Any]]:
    """Rows of each table and month."""
    return [
        {"table": table, "month": f"{month:%Y-%m}", "rows": count}
        for table, months in found.items()
        for month, count in months.items()
    ]


def total(found: Mapping[str, Mapping[date, int]]) -> int:
    """All rows together."""
    return sum(sum(months.values()) for months in found.values())


def at_most(count: int) -> str:
    """A count that ends at partitions.COUNTED."""
    return f"{count} or more" if count >= partitions.COUNTED else str(count)
