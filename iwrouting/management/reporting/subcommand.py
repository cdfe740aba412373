"""What a subcommand of `manage.py reporting` is: a module with these names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Protocol

from django.core.management.base import BaseCommand


class Subcommand(Protocol):
    """NAME is what people type, HELP one sentence, EPILOG the examples (`  manage.py reporting NAME ...`)."""

    NAME: str
    HELP: str
    EPILOG: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its options."""

    def run(self, command: BaseCommand, options: Mapping[str, Any]) -> None:
        """Do it: data to `command.stdout`, words to `command.stderr`. Raises CommandError with its exit code."""
