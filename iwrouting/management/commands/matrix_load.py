"""`manage.py matrix_load`: the built-in matrix and catalogue into the database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting import catalogue
from iwrouting.management.catalogue_rows import fill_learned, model_row
from iwrouting.management.changing import add_author, change_by
from iwrouting.models import Alias, Model, Price

EPILOG = """examples:
  manage.py matrix_load                          fill what is missing
  manage.py matrix_load --profile design         show what the design profile would change
  manage.py matrix_load --profile design --yes   change it
"""


class Command(BaseCommand):
    """Fill missing rows; with another profile, plan and apply its defaults."""

    help = "Load the built-in matrix: fills missing aliases and models, never overwrites an edited row."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--profile", choices=catalogue.PROFILES, default="runtime", help="Which defaults (default: runtime)."
        )
        add_author(parser, "Loaded the built-in matrix")
        parser.add_argument("--yes", action="store_true", help="Apply the plan of another profile without asking.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, then plan and apply."""
        with change_by(options):
            done = fill()
        for line in told(*done):
            self.stderr.write(line)
        if options["profile"] != "runtime":
            self._apply(options["profile"], options)

    def _apply(self, profile: str, options: Mapping[str, Any]) -> None:
        plan = plan_profile(profile)
        for name, old, new in plan:
            self.stdout.write(f"{name}: {old} -> {new}")
        if not plan:
            self.stderr.write(f"Every default is as the profile {profile} has it.")
            return
        if not options["yes"] and not self._agreed(len(plan), profile):
            return
        with change_by(options):
            apply_plan(plan)
        self.stderr.write(f"Changed {len(plan)} defaults to the profile {profile}.")

    def _agreed(self, count: int, profile: str) -> bool:
        if not sys.stdin.isatty():
            raise CommandError(
                f"The profile {profile} changes {count} defaults (above). Add --yes to apply it.", returncode=2
            )
        agreed = input(f"Change these {count} defaults? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stderr.write("Nothing was changed.")
        return agreed


def fill() -> tuple[int, int, list[tuple[str, list[str]]]]:
    """Add the models, prices and aliases of the built-in files that the database lacks, and facts that rows of an
    earlier catalogue file lack, inside a change.

    Returns how many models and aliases, and the models that learned something with their columns. A model that has
    any price keeps its list as it is.
    """
    known_models = set(Model.objects.values_list("model_id", flat=True))
    known_aliases = set(Alias.objects.values_list("name", flat=True))
    models = [entry for name, entry in catalogue.models().items() if name not in known_models]
    aliases = [entry for name, entry in catalogue.matrix().items() if name not in known_aliases]
    for model in models:
        model_row(model).save()
    priced = set(Price.objects.values_list("model_id", flat=True))
    for name, entry in catalogue.models().items():
        for facts in () if name in priced else entry.prices:
            Price(model_id=name, source=entry.source, **asdict(facts)).save()
    for alias in aliases:
        _alias_row(alias).save()
    return len(models), len(aliases), fill_learned()


def told(models: int, aliases: int, learned: list[tuple[str, list[str]]]) -> list[str]:
    """What a filling did, in lines for people."""
    lines = [f"Learned of {model}: {', '.join(names)}." for model, names in learned if names]
    return [*lines, f"Filled {models} models and {aliases} aliases; rows that exist were left as they are."]


def plan_profile(profile: str) -> list[tuple[str, str, str]]:
    """The defaults that a profile would change: alias, model now, model then."""
    now = dict(Alias.objects.values_list("name", "default_model"))
    wanted = ((name, alias.model(profile)) for name, alias in catalogue.matrix().items())
    return [(name, now[name], model) for name, model in wanted if name in now and now[name] != model]


def apply_plan(plan: list[tuple[str, str, str]]) -> None:
    """Change the defaults of a plan, inside a change."""
    for name, _, new in plan:
        alias = Alias.objects.get(name=name)
        alias.default_model = new
        alias.save()


def _alias_row(entry: catalogue.MatrixAlias) -> Alias:
    facts = entry.facts
    return Alias(
        name=facts.name,
        kind=facts.kind.value,
        variable=facts.variable,
        default_model=facts.default_model,
        chain=list(facts.chain),
        purpose=facts.purpose,
        subsystem=facts.subsystem,
        tier=facts.tier,
    )
