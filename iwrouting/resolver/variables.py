"""The routing variables: what each says, whether it wins, and what shadows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from iwrouting.resolver.ladder import climb, override_state
from iwrouting.types import AliasFacts, Configuration, Source, State


class Standing(StrEnum):
    """How a variable stands for its alias where no project is named."""

    WINS = "wins"
    SHADOWED = "shadowed"
    BLANK = "blank"
    NOT_SET = "not set"
    NOT_READ = "read by no alias"


@dataclass(frozen=True, slots=True)
class VariableFacts:
    """One variable for one alias that reads it; `alias` is empty for one that none reads.

    `value` None: not set. `serves` is the model where no project is named, and `source` where it comes from.
    `global_ref`: the override of all projects that shadows the value, as `override:12`, or empty. `projects`: where an
    override of a project shadows it, by slug, with that override. `default`: what the value itself shadows.
    """

    name: str
    alias: str
    value: str | None
    standing: Standing
    serves: str = ""
    source: str = ""
    global_ref: str = ""
    projects: tuple[tuple[str, str], ...] = ()
    default: str = ""

    @property
    def is_set(self) -> bool:
        """Whether it has a value that counts."""
        return bool(self.value)


def variable_facts(config: Configuration, now: datetime) -> list[VariableFacts]:
    """Every variable that an alias reads or that is set, by alias, then those that no alias reads."""
    found = [_of(config, alias, now) for alias in config.aliases.values() if alias.variable]
    read = {each.name for each in found}
    others = [(name, value) for name, value in sorted(config.environment.values.items()) if name not in read]
    return [*found, *(VariableFacts(name, "", value, Standing.NOT_READ) for name, value in others)]


def _of(config: Configuration, alias: AliasFacts, now: datetime) -> VariableFacts:
    value = config.environment.values.get(alias.variable)
    value = None if value is None else value.strip()
    ladder, model, source = climb(config, alias, None, now)
    step = next(each for each in ladder if each.source is Source.ENVIRONMENT)
    above = next((each for each in ladder if each.source is Source.OVERRIDE and each.state is State.USED), None)
    return VariableFacts(
        name=alias.variable,
        alias=alias.name,
        value=value,
        standing=_STANDINGS[step.state],
        serves=model,
        source=source,
        global_ref=above.ref if above is not None and value else "",
        projects=tuple(_projects(config, alias.name, now)) if value else (),
        default=alias.default_model,
    )


def _projects(config: Configuration, alias: str, now: datetime) -> Iterator[tuple[str, str]]:
    for (project, name), override in sorted(config.overrides.items(), key=lambda each: each[0][0] or ""):
        if project is not None and name == alias and override_state(override, now) is State.USED:
            yield project, override.ref


_STANDINGS = {
    State.USED: Standing.WINS,
    State.SHADOWED: Standing.SHADOWED,
    State.BLANK: Standing.BLANK,
    State.NOT_SET: Standing.NOT_SET,
}
