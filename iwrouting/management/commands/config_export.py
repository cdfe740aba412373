"""`manage.py config_export`: the configuration as a bundle of YAML, without keys and secrets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.bundle_files import write_file
from iwrouting.management.changing import NOT_READY
from iwrouting.management.moments import add_moment, revision_of
from iwrouting.management.planned import refused
from iwrouting.models import Revision
from iwrouting.models.changing import by_sql
from iwrouting.planning.bundles import write_bundle
from iwrouting.snapshot.contents import Contents, contents_at, contents_now

EPILOG = """examples:
  manage.py config_export --output iwrouting.yaml
  manage.py config_export --revision 41
  manage.py config_export --revision 2026-11-01T00:00:00Z | diff - iwrouting.yaml
The same configuration always gives the same bytes. docs/gitops.md says how a bundle is applied.
"""


class Command(BaseCommand):
    """Write a bundle; changes nothing."""

    help = "Write the whole configuration as YAML, in a stable order, without API keys and secrets."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--output", metavar="FILE", help="Write it there (default: standard output).")
        add_moment(parser, "--revision", "As it was then")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, and write."""
        with refused():
            text = write_bundle(self._contents(options))
        if options["output"]:
            write_file(options["output"], text)
            self.stderr.write(f"Wrote {options['output']}.")
        else:
            self.stdout.write(text, ending="")

    def _contents(self, options: Mapping[str, Any]) -> Contents:
        if options["revision"] is not None:
            return contents_at(revision_of(options["revision"]))
        counter = Revision.standing()
        if counter.is_touched:
            raise CommandError(
                f"Nothing was written: {by_sql(counter)}. `--revision {counter.number}` writes what is in force.",
                returncode=NOT_READY,
            )
        return contents_now()
