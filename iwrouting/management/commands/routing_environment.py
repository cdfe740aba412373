"""`manage.py routing_environment`: each routing variable with its value, whether it wins, and what shadows it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.resolver.variables import VariableFacts, variable_facts
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.types import EnvironmentFacts

EPILOG = """examples:
  manage.py routing_environment
  manage.py routing_environment --set
  manage.py routing_environment --format json
It tells of the variables that this command sees: run it as the service runs. A running service has those that it was
started with; /readyz has their environment_id.
"""
COLUMNS = ("variable", "value", "standing", "alias", "serves", "source", "global_override", "projects")


class Command(BaseCommand):
    """Report; changes nothing."""

    help = "Show each routing variable: its value, whether it wins, and which overrides shadow it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--set", action="store_true", help="Those that are set, alone.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Report."""
        try:
            config = load()
        except SnapshotRefused as error:
            raise CommandError(f"The configuration can't be read: {error}.") from None
        found = variable_facts(config, datetime.now(UTC))
        rows = [as_row(each) for each in found if each.is_set or not options["set"]]
        if options["format"] == "json":
            self.stdout.write(as_json(environment_id=config.environment.id, variables=rows))
        elif rows:
            self.stdout.write(as_table(COLUMNS, rows))
        self.stderr.write(summary(config.environment, found))


def as_row(found: VariableFacts) -> dict[str, Any]:
    """A variable as the command shows it."""
    return {
        "variable": found.name,
        "value": found.value,
        "standing": found.standing.value,
        "alias": found.alias,
        "serves": found.serves,
        "source": found.source,
        "default": found.default,
        "global_override": found.global_ref,
        "projects": [project for project, _ in found.projects],
        "project_overrides": [ref for _, ref in found.projects],
    }


def summary(facts: EnvironmentFacts, found: list[VariableFacts]) -> str:
    """One line for people."""
    is_set = [each for each in found if each.is_set]
    wins = sum(each.standing == "wins" for each in is_set)
    return f"Environment {facts.id}: {len(is_set)} of {len(found)} routing variables are set, {wins} of them win."
