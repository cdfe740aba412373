"""`manage.py audit_export`: decisions, attempts, fallbacks or changes as JSON lines or CSV, of any length."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.errors import BadRequest
from iwrouting.management.exporting import CHANGES, CSV, JSONL, VIEWS, Portion, columns, line_maker, portions, up_to
from iwrouting.management.output import counted, harmless
from iwrouting.management.part_file import PartFile
from iwrouting.management.progress import Progress
from iwrouting.management.reconcile_input import check_times, moment_of
from iwrouting.models import Project
from iwrouting.types.sheets import as_line

WRONG_USAGE = 2
NAMED = ("project", "alias", "result")
EPILOG = """examples:
  manage.py audit_export --from 2026-11-01 --to 2026-12-01 --format csv --output november.csv
  manage.py audit_export attempts --project atlas --filter model_served=gpt-4.1 | gzip > attempts.jsonl.gz
  manage.py audit_export fallbacks --from 2026-11-22 --filter is_test=false
  manage.py audit_export changes --filter object_type=override --format csv
  manage.py audit_export --after 019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11 >> decisions.jsonl
The oldest first. Times are UTC, --to is not included. --filter takes the filters of GET /api/v1/decisions, and for
changes those of GET /api/v1/changes, by their names. docs/exports.md has the columns, and what a long export promises.
Exit code 1: it could not be written; 2: asked wrongly; 4: the database is not ready; 130: Ctrl-C.
"""


class Command(BaseCommand):
    """Read and write out; changes nothing in the database."""

    help = "Write decisions, attempts, fallbacks or changes as JSON lines or CSV, however many there are."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "what", nargs="?", choices=(*VIEWS, CHANGES), default="decisions", help="Default: decisions."
        )
        parser.add_argument("--from", metavar="TIME", type=moment_of, help="From this time on. Default: all there is.")
        parser.add_argument("--to", metavar="TIME", type=moment_of, help="Before this time. Default: now.")
        parser.add_argument("--project", metavar="SLUG", help="Of this project alone.")
        parser.add_argument("--alias", metavar="NAME", help="For this alias alone.")
        parser.add_argument("--result", metavar="RESULT", help="That ended so; open: that did not end yet.")
        parser.add_argument(
            "--filter", metavar="NAME=VALUE", action="append", default=[], help="Another filter; may be repeated."
        )
        parser.add_argument("--after", metavar="ID", default="", help="Go on after this one; CSV then has no heading.")
        parser.add_argument("--format", choices=(JSONL, CSV), default=JSONL, help="Default: jsonl.")
        parser.add_argument("--output", metavar="FILE", help="Write this file, whole or not at all. Default: stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write."""
        check_times(options)
        try:
            found = self._portions(options)
        except BadRequest as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from None
        self._ended: Portion | None = None
        if options["output"]:
            self._to_file(PartFile(options["output"]), found, options)
        else:
            self._to_stdout(found, options)

    def _portions(self, options: dict[str, Any]) -> Iterator[Portion]:
        said = dict(each.partition("=")[::2] for each in options["filter"])
        if bad := [each for each in options["filter"] if "=" not in each]:
            raise BadRequest(f"--filter: {bad[0][:80]!r} must be NAME=VALUE, such as error_code=upstream_error.")
        said |= {name: options[name] for name in NAMED if options[name] is not None}
        end = options["to"] or datetime.now(UTC)
        return portions(options["what"], said, options["from"], end, options["after"], options["format"])

    def _to_stdout(self, found: Iterator[Portion], options: dict[str, Any]) -> None:
        # Names that callers gave must not command a terminal; JSON is plain ASCII anyway.
        shown = options["format"] == CSV and self.stdout.isatty()

        def write(text: str) -> None:
            self.stdout.write(
                "".join(f"{harmless(line)}\n" for line in text.splitlines()) if shown else text, ending=""
            )

        try:
            self._write(found, options, write, self.stdout.flush)
        except BrokenPipeError:
            # Whoever read has enough; without this Python would complain once more as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("The output was closed before all was written.") from None
        except BaseException:
            self._tell_where()
            raise

    def _to_file(self, file: PartFile, found: Iterator[Portion], options: dict[str, Any]) -> None:
        try:
            self._write(found, options, file.write, file.mark)
            file.finish()
        except BaseException as error:
            left = f"; {file.part} has all up to there" if file.abandon() else ""
            self._tell_where(left)
            if isinstance(error, OSError):
                raise CommandError(f"{file.part} can't be written: {error.strerror or error}.") from None
            raise

    def _write(
        self,
        found: Iterator[Portion],
        options: dict[str, Any],
        write: Callable[[str], object],
        mark: Callable[[], object],
    ) -> None:
        """Write every row. `mark` is called where all so far is whole."""
        progress, count = Progress(self.stderr.write), 0
        headings = columns(options["what"])
        line = line_maker(options["format"], headings)
        if options["format"] == CSV and not options["after"]:
            write(as_line(headings))
        for portion in found:
            write("".join(map(line, portion.rows)))
            mark()
            self._ended, count = portion, count + len(portion.rows)
            progress(partial(_far, count, portion))
        end = f", up to {up_to(self._ended)}." if self._ended else _nothing(options["project"])
        self.stderr.write(f"Wrote {counted(count, 'line')}{end}")

    def _tell_where(self, left: str = "") -> None:
        if self._ended is not None:
            self.stderr.write(f"Broken off after {up_to(self._ended)}{left}. Go on with --after {self._ended.last}")


def _nothing(project: str) -> str:
    if project and not Project.objects.filter(slug=project).exists():
        return f": nothing fits, and there is no project {project!r}. Give its slug, or ask without --project."
    return ": nothing fits. Ask for another time or filter."


def _far(count: int, portion: Portion) -> str:
    return f"{counted(count, 'line')}, up to {up_to(portion)}."
