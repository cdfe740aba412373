"""The ladder: every source looked at, in order, each with its value and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.types import AliasFacts, Configuration, LadderStep, OverrideFacts, Source, State


def climb(
    config: Configuration, alias: AliasFacts, project: str | None, now: datetime
) -> tuple[tuple[LadderStep, ...], str, Source]:
    """The ladder of one alias, the model on it that serves, and its source. Raises Unavailable where none does.

    The first source with a usable value is `used`; usable ones below it are `shadowed`.
    """
    steps = []
    used: LadderStep | None = None
    for step in _steps(config, alias, project, now):
        if step.state is State.USED and used is not None:
            step = replace(step, state=State.SHADOWED)
        elif step.state is State.USED:
            used = step
        steps.append(step)
    if used is None or used.value is None:
        raise Unavailable(f"The alias {alias.name!r} has no model: set its default in the admin.", code="alias_unset")
    return tuple(steps), used.value, used.source


def _steps(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> tuple[LadderStep, ...]:
    return (
        _override(config, Source.PROJECT_OVERRIDE, project, alias.name, now),
        _override(config, Source.OVERRIDE, None, alias.name, now),
        _environment(config, alias),
        _default(alias),
    )


def _override(config: Configuration, source: Source, project: str | None, alias: str, now: datetime) -> LadderStep:
    ref = f"{source}:{alias}"
    if not config.database:
        return LadderStep(source, None, State.UNREADABLE, ref)
    if source is Source.PROJECT_OVERRIDE and project is None:
        return LadderStep(source, None, State.NOT_SET, ref)
    found = config.overrides.get((project, alias))
    if found is None:
        return LadderStep(source, None, State.NOT_SET, ref)
    return LadderStep(source, found.model.strip() or None, override_state(found, now), found.ref)


def override_state(override: OverrideFacts, now: datetime) -> State:
    """Whether an override is in force at a moment: from `starts_at` on, up to but not including `expires_at`."""
    if not override.enabled:
        return State.DISABLED
    if override.expires_at is not None and override.expires_at <= now:
        return State.EXPIRED
    if override.starts_at is not None and now < override.starts_at:
        return State.SCHEDULED
    return State.USED if override.model.strip() else State.BLANK


def _environment(config: Configuration, alias: AliasFacts) -> LadderStep:
    value = config.environment.values.get(alias.variable)
    if not alias.variable or value is None:
        return LadderStep(Source.ENVIRONMENT, None, State.NOT_SET, alias.variable)
    model = value.strip()
    return LadderStep(Source.ENVIRONMENT, model or None, State.USED if model else State.BLANK, alias.variable)


def _default(alias: AliasFacts) -> LadderStep:
    model = alias.default_model.strip()
    return LadderStep(Source.DEFAULT, model or None, State.USED if model else State.BLANK, f"alias:{alias.name}")
