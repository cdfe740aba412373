"""What goes on naming a replaced model because no plan reaches it: the environment, keys, written words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from iwrouting.conf.environment import where_set
from iwrouting.snapshot.contents import Contents
from iwrouting.types import Configuration


@dataclass(frozen=True, slots=True)
class Left:
    """A place that goes on naming a model. `kind`: alias, override, environment, key, document; `told` says why, and
    where to change it."""

    kind: str
    name: str
    model: str
    told: str

    def as_dict(self) -> dict[str, str]:
        """As commands show it."""
        return asdict(self)


def left_in_environment(config: Configuration, models: Mapping[str, str]) -> Iterator[Left]:
    """Routing variables of this process whose value is an old model."""
    readers = {alias.variable: alias.name for alias in config.aliases.values() if alias.variable}
    for variable, value in config.environment.values.items():
        new = models.get(value.strip())
        if new is not None:
            told = f"the alias {readers[variable]} reads it" if variable in readers else "no alias reads it"
            text = f"{told}: set {variable}={new} in {where_set(variable)} of every host, and start them again"
            yield Left("environment", variable, value.strip(), text)


def left_in_keys(now: Contents, models: Mapping[str, str]) -> Iterator[Left]:
    """Keys whose list of models has an old one and lacks the new: calls through aliases would pass it over."""
    for key in now["key"].values():
        granted = key["allowed_models"] or []
        for old in (each for each in granted if each in models and models[each] not in granted):
            if key["revoked_at"] is None:
                text = (
                    f"the key {key['name']!r} of {key['project']} may call {old}, not {models[old]}, which would be "
                    f"passed over: add {models[old]} to its allowed models (admin: API keys)"
                )
                yield Left("key", key["key_id"], old, text)


def left_in_words(models: Mapping[str, str]) -> Iterator[Left]:
    """The written matrix, which no database knows of."""
    for old in models:
        text = "manage.py routing_check FILE names where it still has it, manage.py matrix_export writes it anew"
        yield Left("document", "the written matrix", old, text)
