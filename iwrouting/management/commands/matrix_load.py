"""`manage.py matrix_load`: the built-in matrix and catalogue into the database."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from iwrouting import catalogue
from iwrouting.management.catalogue_rows import fill_learned, model_row
from iwrouting.management.changing import add_author, change_by
from iwrouting.management.output import Findings
from iwrouting.management.planned import add_asking, carry_out, need_reason, refused
from iwrouting.models import Alias, Model, Price
from iwrouting.planning import Plan, plan_now
from iwrouting.snapshot.contents import contents_now

RUNTIME = "runtime"
FILLED = "Loaded the built-in matrix"
EPILOG = """examples:
  manage.py matrix_load                          fill what is missing; never asks
  manage.py matrix_load --profile design --dry-run
  manage.py matrix_load --profile design --reason "Agreed on 3 May" --acknowledge all --yes
Exit codes: 0 done or nothing to do, 1 refused, 2 not confirmed or no reason, 3 a dry run found changes.
"""


class Command(BaseCommand):
    """Fill missing rows; with another profile, plan and apply its defaults."""

    help = "Load the built-in matrix: fills missing aliases and models, never overwrites an edited row."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--profile", choices=catalogue.PROFILES, default=RUNTIME, help="Which defaults (default: runtime)."
        )
        add_author(parser, required=False)
        add_asking(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, then plan and apply; a dry run takes the filling back."""
        with transaction.atomic() if options["dry_run"] else nullcontext():
            filled = self._fill(options)
            if options["profile"] != RUNTIME:
                self._apply(options["profile"], options)
            if options["dry_run"]:
                transaction.set_rollback(True)
                if filled:
                    raise Findings("Nothing was filled: this was a dry run.")

    def _fill(self, options: Mapping[str, Any]) -> bool:
        with change_by({**options, "reason": options["reason"] or FILLED}) as made:
            done = fill()
        for line in told(*done):
            self.stderr.write(line)
        return bool(made.touched)

    def _apply(self, profile: str, options: Mapping[str, Any]) -> None:
        with refused():
            plan = plan_profile(profile)
        if not plan.changes:
            self.stderr.write(f"Every default is as the profile {profile} has it.")
            return
        if not options["dry_run"]:
            need_reason(options["reason"])
        carry_out(self, plan, options)


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


def plan_profile(profile: str) -> Plan:
    """The plan that gives every alias of the built-in matrix the default of a profile."""
    now = {content["name"]: content for content in contents_now()["alias"].values()}
    wanted = {
        name: {**now[name], "default_model": alias.model(profile)}
        for name, alias in catalogue.matrix().items()
        if name in now
    }
    return plan_now({"alias": wanted})


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
