"""`manage.py routing_list`: the matrix: every alias with the model that serves it and its source, by project."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.errors import RoutingError
from iwrouting.management.asking import add_as_of, configuration_asked, project_asked
from iwrouting.management.output import add_format, as_csv, as_json, as_jsonl, as_table
from iwrouting.resolver import resolve
from iwrouting.types import Configuration, Kind, State
from iwrouting.types.faults import ALL_PROJECTS_NAME

COLUMNS = ("alias", "kind", "project", "model", "source", "ref", "chain")
EPILOG = """examples:
  manage.py routing_list                       all aliases, and the projects for which one differs
  manage.py routing_list --project atlas       all aliases as atlas has them
  manage.py routing_list --as-of 41 --format csv
"""


class Command(BaseCommand):
    """Show the matrix; changes nothing."""

    help = "Show the model and its source of every alias, for all projects and where a project's differs."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--project", default="", metavar="SLUG", help="As this project has them.")
        parser.add_argument("--kind", choices=[kind.value for kind in Kind], help="Aliases of this kind alone.")
        add_as_of(parser)
        add_format(parser, "jsonl", "csv")

    def handle(self, *args: Any, **options: Any) -> None:
        """Resolve all, and show."""
        config, now = configuration_asked(self, options["as_of"])
        project = project_asked(config, options["project"])
        rows = [row for row in _rows(config, project, now) if options["kind"] in (None, row["kind"])]
        cells = [
            {**row, "project": row["project"] or ALL_PROJECTS_NAME, "chain": " > ".join(row["chain"])} for row in rows
        ]
        if options["format"] == "json":
            self.stdout.write(as_json(revision=config.revision, rows=rows))
        elif options["format"] == "jsonl":
            self.stdout.write(as_jsonl(rows), ending="")
        elif options["format"] == "csv":
            self.stdout.write(as_csv(COLUMNS, cells), ending="")
        elif rows:
            self.stdout.write(as_table(COLUMNS, cells))
        if not rows:
            self.stderr.write("No aliases. Load the built-in matrix: manage.py matrix_load")


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "project": row["project"] or ALL_PROJECTS_NAME, "chain": " > ".join(row["chain"])}


def _rows(config: Configuration, project: str | None, now: datetime) -> Iterator[dict[str, Any]]:
    """A row for each alias; and, where no project is asked for, one for each project that differs."""
    for alias in sorted(config.aliases):
        shared = _row(config, alias, project, now)
        yield shared
        if project is None:
            for slug in sorted(other for other, name in config.overrides if other and name == alias):
                own = _row(config, alias, slug, now)
                if (own["model"], own["source"]) != (shared["model"], shared["source"]):
                    yield own


def _row(config: Configuration, alias: str, project: str | None, now: datetime) -> dict[str, Any]:
    row = {"alias": alias, "kind": config.aliases[alias].kind.value, "project": project}
    try:
        found = resolve(config, alias, project=project, now=now)
    except RoutingError:
        return {**row, "model": None, "source": None, "ref": None, "chain": []}
    ref = next(step.ref for step in found.ladder if step.state is State.USED)
    chain = [rung.model or rung.alias or "" for rung in found.chain[1:]]
    return {**row, "model": found.model, "source": found.source, "ref": ref, "chain": chain}
