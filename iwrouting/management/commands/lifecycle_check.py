"""`manage.py lifecycle_check`: which aliases, overrides, variables and rungs name a model that is gone or going."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import Findings, add_format, as_json, as_table, counted
from iwrouting.resolver.lifecycle import Finding, lifecycle_findings
from iwrouting.snapshot import SnapshotRefused, load

EPILOG = """examples:
  manage.py lifecycle_check
  manage.py lifecycle_check --days 180
  manage.py lifecycle_check --format json
Exit code 3: there are findings.
"""
COLUMNS = ("days", "date", "model", "where", "replacement", "fix", "rung_of")


class Command(BaseCommand):
    """Report; changes nothing."""

    help = "List every place that names a model which is past or near its shutdown date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--days", type=days_ahead, help="How far ahead to look (default: IW_LIFECYCLE_WARNING_DAYS)."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Report."""
        try:
            config = load()
        except SnapshotRefused as error:
            raise CommandError(f"The configuration can't be read: {error}.") from None
        days = config.lifecycle_warning_days if options["days"] is None else options["days"]
        found = lifecycle_findings(config, datetime.now(UTC), days=days)
        rows = [as_row(finding) for finding in found if finding.days is not None]
        if options["format"] == "json":
            self.stdout.write(as_json(days=days, findings=rows))
        elif rows:
            self.stdout.write(as_table(COLUMNS, rows))
        if rows:
            raise Findings(f"{counted(len(rows), 'place names', 'places name')} a model that is gone or going.")
        self.stderr.write(f"No place names a model that is gone or will be within {days} days.")


def as_row(finding: Finding) -> dict[str, Any]:
    """A finding as the command shows it."""
    place = finding.place
    return {
        "code": finding.code,
        "days": finding.days,
        "date": str(finding.shutdown_date),
        "model": place.model,
        "kind": place.kind,
        "alias": place.alias,
        "project": place.project,
        "where": place.told(),
        "replacement": finding.replacement,
        "fix": place.fix,
        "rung_of": list(finding.rung_of),
    }


def days_ahead(text: str) -> int:
    """The value of --days: a whole number from 0 to 3650."""
    if text.isdecimal() and int(text) <= 3650:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 3650")
