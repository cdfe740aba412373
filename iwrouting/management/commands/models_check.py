"""`manage.py models_check`: the catalogue against what an upstream itself lists."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.model_compare import NEW, Difference, compare
from iwrouting.management.model_lists import CannotList, list_models
from iwrouting.management.output import Findings, add_format, as_json, as_table, counted
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.types import Configuration, UpstreamFacts

EPILOG = """examples:
  manage.py models_check                        every enabled upstream
  manage.py models_check --upstream openai-eu
  manage.py models_check --no-new --format json
Findings: missing_in_use, missing, shutdown_differs, new. Nothing is changed.
Exit codes: 0 all agree, 1 an upstream could not be asked, 3 there are findings.
"""
COLUMNS = ("code", "upstream", "model", "catalogue", "told", "used_by")


class Command(BaseCommand):
    """Ask and report; changes nothing."""

    help = "Compare the catalogue with the models that the upstreams list themselves."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--upstream", metavar="SLUG", help="This upstream alone (default: every enabled one).")
        parser.add_argument("--no-new", action="store_true", help="Leave out models that only the upstream has.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, compare, report."""
        try:
            config = load()
        except SnapshotRefused as error:
            raise CommandError(f"The configuration can't be read: {error}.") from None
        found, errors = self._ask(config, chosen(config, options["upstream"]), with_new=not options["no_new"])
        rows = [asdict(difference) for difference in found]
        if options["format"] == "json":
            self.stdout.write(as_json(findings=rows, errors=errors))
        elif rows:
            self.stdout.write(as_table(COLUMNS, rows))
        if errors:
            raise CommandError("\n".join(f"{slug}: {text}" for slug, text in errors.items()))
        if rows:
            raise Findings(f"{counted(len(rows), 'difference')} from what the upstreams list.")
        self.stderr.write("The catalogue agrees with what the upstreams list.")

    def _ask(
        self, config: Configuration, upstreams: list[UpstreamFacts], *, with_new: bool
    ) -> tuple[list[Difference], dict[str, str]]:
        found: list[Difference] = []
        errors: dict[str, str] = {}
        for upstream in upstreams:
            try:
                listed = list_models(upstream)
            except CannotList as error:
                errors[upstream.slug] = str(error)
                continue
            self.stderr.write(f"{upstream.slug} lists {counted(len(listed), 'model')}.")
            found += compare(config, upstream.slug, listed, datetime.now(UTC))
        return [each for each in found if with_new or each.code != NEW], errors


def chosen(config: Configuration, slug: str | None) -> list[UpstreamFacts]:
    """The upstreams to ask. Raises CommandError for an unknown slug."""
    if slug is None:
        return [upstream for upstream in config.upstreams.values() if upstream.enabled]
    if slug not in config.upstreams:
        raise CommandError(f"There is no upstream {slug!r}: there are {', '.join(sorted(config.upstreams))}.")
    return [config.upstreams[slug]]
