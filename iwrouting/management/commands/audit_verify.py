"""`manage.py audit_verify`: whether the rows of the audit are those that were written, and all of them."""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from iwrouting.audit.tamper.findings import Finding, Tally, as_dict
from iwrouting.audit.tamper.verifying import Scope, Verification
from iwrouting.management.chains import all_keys, bounded_statements, exported_of, surroundings
from iwrouting.management.output import Findings, add_format, as_json, as_table, counted
from iwrouting.management.progress import Progress
from iwrouting.management.reconcile_input import check_times, moment_of
from iwrouting.management.verify_state import BadState, read_state, write_state

EPILOG = """examples:
  manage.py audit_verify
  manage.py audit_verify --against iw-seal.812.20261101T030000Z.9f2c...
  manage.py audit_verify --from 2026-11-01 --to 2026-11-08
  manage.py audit_verify --resume var/verify.json          goes on where it was broken off
Times are UTC. A range begins with the hash that stands before it: what is before is taken as it is, and only rows in it
are proved to be whole. docs/tamper.md says what can be proved, and what each kind of finding means.
Exit codes: 0 whole (rows that a journal still holds are told as pending), 3 there are findings, 4 no database.
"""
COLUMNS = ("kind", "writer", "numbers", "table", "id", "decision", "text")
KEPT_EVERY_S = 5.0


class Command(BaseCommand):
    """Report; changes nothing."""

    help = "Verify the chain of hashes through the audit and its seals; name what was edited, removed or put in."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--writer", metavar="ID", default="", help="The chain of this writer alone.")
        parser.add_argument("--from", metavar="TIME", type=moment_of, help="What was written from this time on.")
        parser.add_argument("--to", metavar="TIME", type=moment_of, help="What was written before this time.")
        parser.add_argument(
            "--against",
            metavar="VALUE",
            type=exported_of,
            action="append",
            default=[],
            help="A value of 'audit_seal --export' that was kept elsewhere; may be repeated.",
        )
        parser.add_argument(
            "--resume", metavar="FILE", type=Path, help="Keep how far it is here, and go on from there."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify."""
        check_times(options)
        scope = Scope(options["writer"], options["from"], options["to"], options["against"])
        try:
            with bounded_statements():
                tally, seconds = self._verify(scope, options["resume"])
        except BadState as error:
            raise CommandError(f"{error}.") from None
        if options["writer"] and not tally.seen and not tally.findings:
            raise CommandError(f"No row and no seal names the writer {options['writer'][:64]!r}.")
        self._tell(tally, seconds, options["format"])
        if tally.findings:
            count = len(tally.findings) + tally.more
            raise Findings(f"{counted(count, 'finding')}: docs/tamper.md says what each kind means.")

    def _verify(self, scope: Scope, path: Path | None) -> tuple[Tally, float]:
        named = as_named(scope)
        run = Verification(
            scope,
            all_keys(),
            surroundings(),
            checkpoint=read_state(path, named) if path else None,
        )
        begun = time.monotonic()
        before, kept = run.tally.seen, begun
        progress = Progress(self.stderr.write)
        try:
            for _ in run.run():
                progress(lambda: _so_far(run.tally, run.tally.seen - before, time.monotonic() - begun))
                if path and run.checkpoint and time.monotonic() - kept >= KEPT_EVERY_S:
                    kept = time.monotonic()
                    write_state(path, named, run.checkpoint)
        except (KeyboardInterrupt, Error):
            if path and run.checkpoint:
                write_state(path, named, run.checkpoint)
                self.stderr.write(f"Broken off: the same command goes on from {path}.")
            raise
        if path:
            path.unlink(missing_ok=True)
        return run.tally, time.monotonic() - begun

    def _tell(self, tally: Tally, seconds: float, form: str) -> None:
        found = [as_dict(each) for each in tally.findings]
        pending = [as_dict(each) for each in tally.pending]
        if form == "json":
            counts = {name: getattr(tally, name) for name in COUNTS}
            self.stdout.write(as_json(**counts, seconds=round(seconds, 3), findings=found, pending=pending))
        elif found or pending:
            self.stdout.write(as_table(COLUMNS, [as_line(each) for each in (*tally.findings, *tally.pending)]))
        for line in summary(tally):
            self.stderr.write(line)


COUNTS = ("rows", "unchecked", "not_covered", "quarantined", "writers", "seals", "sealed_away", "more")


def as_named(scope: Scope) -> dict[str, Any]:
    """The options of a run, as its state keeps them."""
    times = {"from": _iso(scope.since), "to": _iso(scope.until)}
    return {"writer": scope.writer, **times, "against": [str(each) for each in scope.exported]}


def as_line(finding: Finding) -> dict[str, Any]:
    """A finding as a line of the table."""
    told = as_dict(finding)
    numbers = str(finding.first) if finding.first == finding.last else f"{finding.first}-{finding.last}"
    return {**told, "numbers": None if finding.first is None else numbers}


def summary(tally: Tally) -> list[str]:
    """What was seen, in sentences."""
    seen = f"{counted(tally.rows, 'row')} of {counted(tally.writers, 'writer')} and {counted(tally.seals, 'seal')}"
    lines = [f"{seen} are as they were written."]
    if tally.sealed_away:
        lines.append(f"{tally.sealed_away:,} rows were removed by retention, as its seals say.")
    if tally.unchecked:
        lines.append(f"{tally.unchecked:,} rows could only be taken as they are.")
    if tally.not_covered:
        lines.append(f"{tally.not_covered:,} rows are not covered: they are from before there was a chain.")
    if tally.pending:
        lines.append(
            f"Pending: {counted(len(tally.pending), 'gap')} that a journal may still fill. "
            "Verify again when it is drained."
        )
    if tally.more:
        lines.append(f"{tally.more:,} more were counted and are not listed.")
    return lines


def _so_far(tally: Tally, rows: int, seconds: float) -> str:
    return (
        f"{counted(tally.seen, 'row')} of {counted(tally.writers, 'writer')}, {rows / seconds:,.0f} rows/s, "
        f"{counted(len(tally.findings), 'finding')}."
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
