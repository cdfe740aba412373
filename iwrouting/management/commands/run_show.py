"""`manage.py run_show`: what a run may take, has used and has reserved."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.management.run_rows import add_run, as_row, find_run
from iwrouting.models import RunRaise

EPILOG = """examples:
  manage.py run_show nightly-42
  manage.py run_show nightly-42 --project atlas --format json
"""
RAISES = ("at", "by", "via", "before", "after", "reason")


class Command(BaseCommand):
    """Report; changes nothing."""

    help = "Show the token budget of one run, and who raised it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_run(parser)
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Report."""
        run = find_run(options["run"], options["project"])
        row, raises = as_row(run), [_raise_row(each) for each in run.raises.all()]
        if options["format"] == "json":
            self.stdout.write(as_json(**row, raises=raises))
            return
        self.stdout.write(as_table(tuple(row), [row]))
        if raises:
            self.stdout.write("\n" + as_table(RAISES, raises))


def _raise_row(each: RunRaise) -> dict[str, Any]:
    return {
        "at": f"{each.at:%Y-%m-%dT%H:%M:%SZ}",
        "by": each.by,
        "via": each.via,
        "before": each.before_tokens,
        "after": each.after_tokens,
        "reason": each.reason,
    }
