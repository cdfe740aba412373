"""`manage.py loaddata`: Django's own, through the one call by which the configuration changes."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import loaddata

from iwrouting.management.changing import add_author, author_of, told
from iwrouting.management.planned import WRONG_USAGE, need_reason
from iwrouting.models import ChangeRequired, change
from iwrouting.types import Via

EPILOG = """examples:
  manage.py loaddata configuration.json --reason "Moved from the test system"
  manage.py loaddata users.json
A reason is needed where a fixture holds rows of the configuration: all of them are one revision, or nothing is loaded.
config_export and config_apply carry a configuration better: they show what would change, and need no row numbers.
"""


class Command(loaddata.Command):
    """Load fixtures inside a change."""

    help = f"{loaddata.Command.help} Rows of the configuration need --reason."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's options, and who and why."""
        super().add_arguments(parser)
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        add_author(parser, required=False)

    def handle(self, *fixture_labels: str, **options: Any) -> None:
        """Load all or nothing."""
        if not options["reason"]:
            self._without_reason(fixture_labels, options)
            return
        need_reason(options["reason"])
        author, using = author_of(options["user"]), options["database"]
        details = {"fixtures": list(fixture_labels)}
        with told(), change(author=author, via=Via.IMPORT, reason=options["reason"], using=using, details=details):
            super().handle(*fixture_labels, **options)

    def _without_reason(self, fixture_labels: tuple[str, ...], options: dict[str, Any]) -> None:
        try:
            super().handle(*fixture_labels, **options)
        except ChangeRequired:
            raise CommandError(
                "Nothing was loaded: there are rows of the configuration in it. Say why with --reason; the change list "
                "keeps it.",
                returncode=WRONG_USAGE,
            ) from None
