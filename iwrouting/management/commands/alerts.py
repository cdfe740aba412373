"""`manage.py alerts`: which alerts stand, and whether people can be told."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from iwrouting.alerts import Notice, NotTold, Standing, channels, open_alerts
from iwrouting.audit import new_id
from iwrouting.conf import settings
from iwrouting.management.database import NOT_READY, what_to_do
from iwrouting.management.output import Findings, add_format, as_json, as_table, counted

EPILOG = """examples:
  manage.py alerts list
  manage.py alerts list --format json
  manage.py alerts test
Exit codes: 1 a test was not taken, or nothing is configured to tell by; 3 alerts stand; 4 the database is away.
"""
COLUMNS = ("rule", "subject", "since", "message", "not_told_by")


class Command(BaseCommand):
    """Show what stands, or try the channels."""

    help = "List the alerts that stand, or send a test alert by mail and webhook."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("action", choices=("list", "test"), help="list: what stands. test: send a test alert.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        actions: Mapping[str, Callable[[str], None]] = {"list": self._list, "test": self._test}
        actions[options["action"]](options["format"])

    def _list(self, form: str) -> None:
        try:
            rows = [as_row(each) for each in open_alerts()]
        except DatabaseError as error:
            raise CommandError(what_to_do(error) or "The database does not answer.", returncode=NOT_READY) from None
        if form == "json":
            self.stdout.write(as_json(alerts=rows))
        elif rows:
            self.stdout.write(as_table(COLUMNS, rows))
        if rows:
            raise Findings(f"{counted(len(rows), 'alert stands', 'alerts stand')}.")
        self.stderr.write("No alert stands.")

    def _test(self, form: str) -> None:
        ways = channels(settings())
        if not ways:
            raise CommandError("Nothing is configured to tell by: set IW_ALERT_EMAIL or IW_ALERT_WEBHOOK_URL.")
        notice = Notice(new_id(), datetime.now(UTC), "test", "test", "", "A test: whoever reads this will be told.")
        results = []
        for way in ways:
            try:
                way.tell(notice)
                results.append({"channel": way.name, "taken": True, "fault": ""})
            except NotTold as error:
                results.append({"channel": way.name, "taken": False, "fault": str(error)})
        shown = as_json(tested=results) if form == "json" else as_table(("channel", "taken", "fault"), results)
        self.stdout.write(shown)
        if faults := [f"{each['channel']}: {each['fault']}" for each in results if not each["taken"]]:
            raise CommandError("; ".join(faults))


def as_row(standing: Standing) -> dict[str, Any]:
    """A standing alert as the command shows it."""
    return {
        "rule": standing.rule,
        "subject": standing.subject,
        "since": standing.raised_at.astimezone(UTC).isoformat(timespec="seconds"),
        "last_told": standing.begun_at.astimezone(UTC).isoformat(timespec="seconds"),
        "message": standing.message,
        "not_told_by": list(standing.pending),
    }
