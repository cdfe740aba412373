"""`manage.py audit_reconcile`: a client's log, the provider's log or usage export, and our own rows, compared."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import Findings, counted
from iwrouting.management.progress import Progress
from iwrouting.management.reconcile_input import Files, check_times, moment_of, zone_of
from iwrouting.management.reconcile_output import Output, said
from iwrouting.models import Project
from iwrouting.reports.reconcile import BadFile, Report, Span, Wanted, compare
from iwrouting.reports.reconcile.run import GRACE_S
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.builtin import ENVIRONMENT, SANDBOX

EPILOG = """examples:
  manage.py audit_reconcile --provider provider.jsonl
  manage.py audit_reconcile --client app.jsonl --provider provider.csv --from 2026-11-01 --to 2026-11-08
  manage.py audit_reconcile --provider calls.csv --map try=client_ref --map status=http
  manage.py audit_reconcile --usage usage.json --upstream environment --tolerance 1
  manage.py audit_reconcile --usage hours.json --zone Europe/Berlin --format csv
  manage.py audit_reconcile --format jsonl --notes
Without a file our own rows are compared with each other. Times are UTC. docs/reconcile.md has the columns and what each
code means. Exit code 3: there are findings; notes are explained, and change nothing.
"""


class Command(BaseCommand):
    """Compare and report; changes nothing."""

    help = "Compare a client's log, the provider's log or usage export, and our own rows; name what differs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--client", metavar="FILE", help="A client's log: JSON lines or CSV, also .gz.")
        parser.add_argument("--provider", metavar="FILE", help="The provider's log: JSON lines or CSV, also .gz.")
        parser.add_argument(
            "--usage", metavar="FILE", action="append", default=[], help="The provider's usage export; may be repeated."
        )
        parser.add_argument(
            "--map", metavar="FIELD=COLUMN", action="append", default=[], help="What a column is; may be repeated."
        )
        parser.add_argument("--from", metavar="TIME", type=moment_of, help="Decisions from this time on.")
        parser.add_argument("--to", metavar="TIME", type=moment_of, help="Decisions before this time.")
        parser.add_argument("--project", metavar="SLUG", default="", help="Decisions of this project alone.")
        parser.add_argument("--key", metavar="ID", default="", help="Decisions of this API key alone.")
        parser.add_argument(
            "--upstream",
            metavar="SLUG",
            action="append",
            default=[],
            help="Whose ledger the provider's is.",
        )
        parser.add_argument(
            "--grace", metavar="SECONDS", type=float, default=GRACE_S, help="Younger decisions may be open (900)."
        )
        parser.add_argument(
            "--tolerance", metavar="PERCENT", type=float, default=0.0, help="How far sums may differ (0)."
        )
        parser.add_argument(
            "--zone",
            type=zone_of,
            default=UTC,
            help="Whose days a bill is told by. Default: UTC.",
        )
        parser.add_argument("--notes", action="store_true", help="Tell each note too, not only how many there are.")
        parser.add_argument("--limit", metavar="N", type=int, default=1000, help="Most lines of a table or of JSON.")
        default = "table" if sys.stdout.isatty() else "json"
        parser.add_argument("--format", choices=("table", "json", "jsonl", "csv"), default=default)

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare."""
        self._check(options)
        report = Report()
        output = Output(self.stdout.write, options["format"], options["limit"], notes=options["notes"])
        try:
            files = Files(options, Progress(self.stderr.write))
            for found in compare(files.ledgers(), self._wanted(options, files), report):
                output.take(found)
        except BadFile as error:
            raise CommandError(str(error)) from None
        output.end(report)
        for line in (*files.said(), *said(report)):
            self.stderr.write(line)
        if found_count := output.findings:
            raise Findings(f"{counted(found_count, 'finding')}.")

    def _wanted(self, options: dict[str, Any], files: Files) -> Wanted:
        return Wanted(
            Span(options["from"], options["to"]),
            project=options["project"],
            key=options["key"],
            upstreams=frozenset(options["upstream"]),
            grace_s=options["grace"],
            tolerance=options["tolerance"],
            zone=options["zone"],
            progress=files.compared,
        )

    def _check(self, options: dict[str, Any]) -> None:
        """Refuse a name or span that is none: it would find nothing, or everything."""
        check_times(options)
        if options["format"] == "csv" and not options["usage"]:
            raise CommandError("--format csv tells a bill by day and model: give --usage too.", returncode=2)
        slug = options["project"]
        if slug and not Project.objects.filter(slug=slug).exists():
            raise CommandError(f"There is no project {slug!r}.")
        for path in filter(None, (options["client"], options["provider"], *options["usage"])):
            if not Path(path).is_file():
                raise CommandError(f"There is no file {path}.")
        if not options["upstream"]:
            return
        try:
            known = {*load().upstreams, ENVIRONMENT, SANDBOX}
        except SnapshotRefused as error:
            raise CommandError(f"The configuration can't be read: {error}.") from None
        for name in options["upstream"]:
            if name not in known:
                raise CommandError(
                    f"There is no upstream {name!r}. There are: {', '.join(sorted(known))}; where IW_UPSTREAM_NAME "
                    "names the environment's, run this as the service runs."
                )
