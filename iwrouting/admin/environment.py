"""The settings of this process for the System page: name, value, source. What may be a secret is never shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from iwrouting.admin.show import NOTHING, badge
from iwrouting.conf import Settings, settings
from iwrouting.conf.environment import ROUTING_VARIABLE, SECRET_VARIABLE, variables
from iwrouting.conf.redact import redact

Row = tuple[Any, ...]
NOT_SET = "not set"
COLUMNS = ("Variable", "Value", "Source")


def environment_rows() -> list[Row]:
    """Our settings as they stand in the class, then the routing variables and the upstreams' secrets that are set."""
    seen = variables()
    named = {name for _, names in _fields() for name in names}
    others = sorted(name for name in seen if _is_ours(name) and name not in named)
    return [*_settings(settings()), *(_other(name, seen[name]) for name in others)]


def _fields() -> Iterator[tuple[tuple[str, FieldInfo], list[str]]]:
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        yield (name, field), [str(each) for each in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


def _settings(conf: Settings) -> Iterator[Row]:
    for (name, field), names in _fields():
        counts = next((each for each in names if _source(each) != NOT_SET), names[0])
        for variable in names:
            source, value = _source(variable), getattr(conf, name)
            if field.repr:
                yield variable, _shown(value) if variable == counts else NOTHING, source
            else:
                yield variable, _set(bool(value) and source != NOT_SET), source


def _other(name: str, value: str) -> Row:
    shown = (value.strip() or "(blank)") if ROUTING_VARIABLE.fullmatch(name) else _set(bool(value.strip()))
    return name, shown, _source(name)


def _is_ours(name: str) -> bool:
    return bool(ROUTING_VARIABLE.fullmatch(name) or SECRET_VARIABLE.fullmatch(name))


def _source(variable: str) -> str:
    if os.environ.get(variable, "").strip():
        return "environment"
    return ".env" if variables().get(variable, "").strip() else NOT_SET


def _set(is_set: bool) -> Any:
    return badge("set, not shown", "info") if is_set else badge("not set")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return redact("" if value is None else str(value)) or NOTHING
