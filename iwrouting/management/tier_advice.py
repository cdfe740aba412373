"""What to do about a task that a stronger model than it needs serves: in words, and where to change it."""

from __future__ import annotations

import shlex
from datetime import datetime
from decimal import Decimal

from iwrouting.errors import RoutingError
from iwrouting.reports.guidance import Excess
from iwrouting.resolver import facts_of, resolve
from iwrouting.types import Configuration, Resolution, Source

CENT = 10**10
"""A cent in pico-dollars."""


def advice(config: Configuration, found: Excess, at: datetime) -> dict[str, str]:
    """`told`: the finding in one sentence or two; `fix`: what to change, by what serves the task now."""
    return {"told": _told(found), "fix": _fix(config, found, at)}


def _told(found: Excess) -> str:
    task = f"{found.alias} taken for {found.task}" if found.inferred_mode else found.alias
    head = (
        f"{found.project or 'no project'}: {task} ({found.task_tier} task) was served by {found.model_served} "
        f"({found.model_tier}) in {found.calls:,} call{'s' * (found.calls != 1)}"
    )
    if found.saving_pico is None or found.compared_pico is None or found.cost_at_tier_pico is None:
        spent = "" if found.cost_pico is None else f" for {money(found.cost_pico)}"
        why = (
            "no living model of that tier has a price for these tokens" if not found.references else "no cost is known"
        )
        return f"{head}{spent}. What the right tier would have cost is not known: {why}."
    about = "about " if found.is_estimated or found.not_compared else ""
    left = f" ({found.not_compared:,} of them could not be compared)" if found.not_compared else ""
    return (
        f"{head} for {money(found.compared_pico)}{left}. {' and '.join(found.references)} would have cost "
        f"{about}{money(found.cost_at_tier_pico)}: save {money(found.saving_pico)}."
    )


def money(pico: int) -> str:
    """Dollars for people: to the cent, or with as many places as a smaller sum needs."""
    if abs(pico) >= CENT or not pico:
        return f"${pico / 10**12:,.2f}"
    return f"${Decimal(f'{pico / 10**12:.2g}'):f}"


def _fix(config: Configuration, found: Excess, at: datetime) -> str:
    project = found.project if found.project in config.projects else None
    if found.task not in config.aliases:
        return f"There is no alias {found.task} any more: nothing to change."
    try:
        now = resolve(config, found.task, project=project, now=at)
    except RoutingError as error:
        return f"It does not resolve now: {error.message}"
    if now.model != found.model_served:
        return _not_primary(config, found, now, at)
    return _change(config, found, now, project)


def _not_primary(config: Configuration, found: Excess, now: Resolution, at: datetime) -> str:
    if any(rung.model == found.model_served for rung in now.chain):
        ended = facts_of(config, now.model).shutdown_date
        if ended is not None and ended <= at.date():
            command = shlex.join(["manage.py", "matrix_replace", now.model, "--dry-run"])
            return (
                f"{now.model} was shut down on {ended}, so that {found.model_served}, a fallback of it, serves. Plan "
                f"another model for it: {command}"
            )
        return (
            f"{now.model} serves it now and {found.model_served} is a fallback of it: see why the first model failed "
            "(rpt_fallbacks_v1), or change the chain (admin: Aliases)."
        )
    return f"{now.model} serves it now: nothing to change."


def _change(config: Configuration, found: Excess, now: Resolution, project: str | None) -> str:
    new = found.references[0] if found.references else "MODEL"
    if now.source in (Source.PROJECT_OVERRIDE, Source.OVERRIDE):
        scope = [] if now.source is Source.OVERRIDE or project is None else ["--project", project]
        command = ["manage.py", "routing_override", "set", found.task, *scope, "--model", new]
        whose = "of all projects" if not scope else f"of {project}"
        return f"Change the override {whose}: {shlex.join(command)} --reason ...{_vectors(config, found)}"
    if now.source is Source.ENVIRONMENT:
        variable = config.aliases[found.task].variable
        return f"Set {variable}={new} in the environment, and start again.{_vectors(config, found)}"
    return f"Change the default of {found.task} to {new} (admin: Aliases, {found.task}).{_vectors(config, found)}"


def _vectors(config: Configuration, found: Excess) -> str:
    if config.aliases[found.task].kind != "embedding":
        return ""
    return " Vectors of two models do not mix: add an alias of its own and embed the stored texts again."
