"""`manage.py routing_check`: a written matrix against the live one; exit code 3: they differ."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting import catalogue
from iwrouting.management.asking import configuration_asked, project_asked
from iwrouting.management.bundle_files import called
from iwrouting.management.commands.lifecycle_check import days_ahead
from iwrouting.management.matrix_output import show, told
from iwrouting.management.output import Findings, add_format
from iwrouting.management.written import builtin_matrix, read_matrix_file
from iwrouting.planning.matrix import Asked, Comparison, Form, Level, Written, compare, model_warnings

FAIL_ON: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "dead": frozenset({"model_retired"}),
    "dying": frozenset({"model_retired", "model_retiring"}),
}
EPILOG = """examples:
  manage.py routing_check MODEL_MATRIX.md
  manage.py routing_check MODEL_MATRIX.md --profile design --format json
  manage.py routing_check MODEL_MATRIX.md --built-in        what is written against the built-in matrix, no database
  manage.py routing_check atlas.env --project atlas --fail-on dead
It tells of the variables that this command sees: run it as the service runs. docs/matrix.md has forms and rules.
Exit codes: 0 the same (models that are gone are warnings), 1 the file can't be read, 3 they differ, or what --strict
and --fail-on ask for was found, 4 the database is not ready.
"""


class Command(BaseCommand):
    """Compare; changes nothing."""

    help = "Compare a written matrix (Markdown, YAML or environment) with database, environment and built-in defaults."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("file", help="The document; - for standard input.")
        parser.add_argument("--as-format", choices=[form.value for form in Form], help="Default: told by its content.")
        parser.add_argument(
            "--profile", choices=catalogue.PROFILES, default="runtime", help="Whose defaults are to be live."
        )
        parser.add_argument("--project", default="", metavar="SLUG", help="What serves this project, alone.")
        parser.add_argument("--built-in", action="store_true", help="Against the built-in matrix, without a database.")
        parser.add_argument("--strict", action="store_true", help="Notes are differences too.")
        parser.add_argument("--fail-on", choices=tuple(FAIL_ON), default="none", help="Models that make it fail.")
        parser.add_argument("--days", type=days_ahead, help="How far ahead models are looked at.")
        parser.add_argument("--on", type=day, metavar="DATE", help="Look at models as on this day (default: today).")
        add_format(parser, "jsonl", "csv")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, compare, show."""
        form = options["as_format"]
        written = read_matrix_file(options["file"], None if form is None else Form(form))
        asked = self._asked(options)
        found = Comparison(compare(written, asked), _warnings(written, asked, options))
        failed = _failed(found, options)
        about = {
            "file": called(options["file"]),
            "form": written.form.value,
            "profile": asked.profile,
            "project": asked.project,
            "revision": asked.config.revision if asked.config.database else None,
            "same": not any(found.of_level(Level.DRIFT)),
        }
        show(self, options["format"], about, written, found)
        against = f"revision {asked.config.revision}" if asked.config.database else "the built-in matrix"
        said = f"{about['file']} ({written.form}) against {against}, profile {asked.profile}: {told(found)}."
        if failed:
            raise Findings(said)
        self.stderr.write(said)

    def _asked(self, options: Mapping[str, Any]) -> Asked:
        if not options["built_in"]:
            config, now = configuration_asked(self, None)
            project = project_asked(config, options["project"])
            return Asked(config, now, catalogue.matrix(), options["profile"], project)
        if options["project"]:
            raise CommandError(
                "The built-in matrix knows no projects: leave out --project or --built-in.", returncode=2
            )
        return Asked(builtin_matrix(options["profile"]), datetime.now(UTC), catalogue.matrix(), options["profile"])


def day(text: str) -> date:
    """The value of --on: a date, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: give one such as 2026-12-01") from None


def _warnings(written: Written, asked: Asked, options: Mapping[str, Any]) -> Any:
    at = asked.now if options["on"] is None else datetime.combine(options["on"], time(12), UTC)
    days = asked.config.lifecycle_warning_days if options["days"] is None else options["days"]
    return model_warnings(written, asked.config, at, days=days)


def _failed(found: Comparison, options: Mapping[str, Any]) -> bool:
    levels = [Level.DRIFT, *([Level.NOTE] if options["strict"] else [])]
    differs = any(each.level in levels for each in found.differences)
    return differs or any(each.code in FAIL_ON[options["fail_on"]] for each in found.warnings)
