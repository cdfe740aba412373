"""What validation says of a configuration: faults refuse a change, findings warn and are acknowledged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum

from iwrouting.types.facts import AliasFacts
from iwrouting.types.values import Kind

MAX_CHAIN = 5
"""The most rungs after the primary."""

ALL_PROJECTS_NAME = "all projects"

INVALID = "invalid"
"""The code of what a column says against its own value."""


class ObjectType(StrEnum):
    """What a row of the configuration is."""

    ALIAS = "alias"
    OVERRIDE = "override"
    PROJECT = "project"
    MODEL = "model"
    UPSTREAM = "upstream"
    PRICE = "price"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class _Remark:
    """`object_type` and `name` say which row; `field` and `subject` what of it: a column, and the value concerned.

    `message` names the value, the path where there is one, and the next step. `ref` is the row's reference, where it
    has one.
    """

    code: str
    object_type: ObjectType
    name: str
    message: str
    field: str = ""
    subject: str = ""
    ref: str = ""

    @property
    def row(self) -> tuple[str, str]:
        """Which row it is about."""
        return self.object_type.value, self.name

    @property
    def key(self) -> str:
        """The same for the same remark at any time, whatever its words."""
        return "/".join((self.code, *self.row, self.field, self.subject))

    def as_json(self) -> dict[str, str]:
        """Its members as JSON has them, `key` among them."""
        return {"key": self.key, **{name: str(value) for name, value in asdict(self).items()}}

    def told(self) -> str:
        """One line: which rule, which row, which column where the words do not say so, and the words."""
        column = f"{self.field}: " if self.code == INVALID and self.field else ""
        return f"{self.object_type} {self.name}: {column}{self.message} [{self.code}]"


class Fault(_Remark):
    """What no configuration may have: a change that brings it is refused."""

    __slots__ = ()


class Finding(_Remark):
    """What a configuration may have, once whoever changes it has acknowledged it."""

    __slots__ = ()

    def acknowledged_by(self, acknowledged: Collection[str]) -> bool:
        """Whether it is among what was acknowledged: findings by their keys, or all of a kind by their code."""
        return self.key in acknowledged or self.code in acknowledged


def override_name(alias: str, project: str | None) -> str:
    """How people call an override: `manager for atlas`; `project` is a slug, or None for all."""
    return f"{alias} for {project or ALL_PROJECTS_NAME}"


def unusable(alias: AliasFacts) -> Fault | None:
    """Why an alias can't serve at all, or would mix vectors: what even a worker refuses that finds it stored."""
    if not alias.default_model.strip():
        text = "It has no default model: name one."
        return Fault("default_missing", ObjectType.ALIAS, alias.name, text, "default_model")
    if alias.kind is Kind.EMBEDDING and alias.chain:
        text = "An embedding alias has no chain: vectors of different models do not mix. Clear it."
        return Fault("embedding_chain", ObjectType.ALIAS, alias.name, text, "chain")
    return None
