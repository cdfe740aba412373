"""`manage.py reporting status`: how far the cells of usage are behind the raw rows, and what there is of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.reports.usage.standing import Standing, standing

NAME = "status"
HELP = "Say which quarters of an hour are not summed up yet, and what there is of cells."
EPILOG = """examples:
  manage.py reporting status
  manage.py reporting status --format json

Reports are right whatever it says: what is not summed up yet is read from the raw rows, which takes longer.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_format(parser)


def run(command: BaseCommand, options: Mapping[str, Any]) -> None:
    """Report; changes nothing."""
    found = standing()
    if options["format"] == "json":
        command.stdout.write(as_json(**as_dict(found)))
    else:
        rows = [{"name": name.replace("_", " "), "value": _cell(value)} for name, value in as_dict(found).items()]
        command.stdout.write(as_table(("name", "value"), rows))


def as_dict(found: Standing) -> dict[str, Any]:
    """What it tells, by name; cells by their width in minutes."""
    return {
        "quarters_waiting": found.waiting,
        "oldest_waiting": _moment(found.oldest),
        "rolled_at": _moment(found.rolled_at),
        "raw_rows_from": _moment(found.raw_from),
        "usage_cells": {str(width): count for width, count in found.usage_cells.items()},
        "label_cells": {str(width): count for width, count in found.label_cells.items()},
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return [f"{count} of {width} minutes" for width, count in value.items()]
    return value
