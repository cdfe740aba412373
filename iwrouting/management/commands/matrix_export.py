"""`manage.py matrix_export`: the live matrix written down, in the owner's form, as YAML or as an environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting import catalogue
from iwrouting.management.asking import add_as_of, configuration_asked, project_asked
from iwrouting.management.bundle_files import write_file
from iwrouting.management.written import builtin_matrix
from iwrouting.planning.matrix import Form, Matrix, live_matrix, unsaid, write_matrix

EPILOG = """examples:
  manage.py matrix_export --output MODEL_MATRIX_LIVE.md
  manage.py matrix_export --format yaml --as-of 41
  manage.py matrix_export --format env --project atlas > atlas.env
  manage.py matrix_export --profile design
The same matrix always gives the same bytes, and routing_check reads each form back. env holds what serves each alias,
overrides included, by its variable; docs/matrix.md describes all three. A file that no export wrote, such as a document
with more in it, is not replaced.
"""

OWN = b"`manage.py matrix_export"
"""What each form says of itself."""


class Command(BaseCommand):
    """Write the matrix; changes nothing."""

    help = "Write the matrix down: variables, defaults, and what overrides and environment make of them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        forms = [form.value for form in Form]
        parser.add_argument("--format", choices=forms, default=Form.MARKDOWN.value, help="Default: markdown.")
        parser.add_argument("--output", metavar="FILE", help="Write it there (default: standard output).")
        parser.add_argument("--project", default="", metavar="SLUG", help="As it is for this project.")
        parser.add_argument(
            "--profile", choices=catalogue.PROFILES, help="The built-in matrix with these defaults, not the live one."
        )
        add_as_of(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, and write."""
        form = Form(options["format"])
        matrix = self._matrix(options)
        if form is Form.ENV:
            for line in unsaid(matrix):
                self.stderr.write(f"Not written: {line}.")
        text = write_matrix(matrix, form)
        if options["output"]:
            _spare(Path(options["output"]))
            write_file(options["output"], text)
            self.stderr.write(f"Wrote {options['output']}.")
        else:
            self.stdout.write(text, ending="")

    def _matrix(self, options: Mapping[str, Any]) -> Matrix:
        if options["profile"] is None:
            config, now = configuration_asked(self, options["as_of"])
            return live_matrix(config, now, catalogue.matrix(), project_asked(config, options["project"]))
        if options["project"] or options["as_of"] is not None:
            raise CommandError("--profile is the built-in matrix: give neither --project nor --as-of.", returncode=2)
        config = builtin_matrix(options["profile"])
        config = replace(config, environment=replace(config.environment, values={}))
        return live_matrix(config, datetime.now(UTC), catalogue.matrix(), None)


def _spare(path: Path) -> None:
    """Refuse to replace a file that no export wrote: the owner's document has more in it. Raises CommandError."""
    try:
        written = path.read_bytes() if path.is_file() else OWN
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror or error}.") from None
    if OWN not in written:
        raise CommandError(
            f"{path} was not written by matrix_export, and what else stands in it would be lost. Write another file, "
            "and put its sections in their place; or remove this one first."
        )
