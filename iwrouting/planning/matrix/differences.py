"""What a comparison of a written matrix with a live one finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from iwrouting.types import Source


class Level(StrEnum):
    """What a finding means: the two are not the same; a model that will not serve for long; worth knowing."""

    DRIFT = "drift"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """How the document and what is live differ, or the document from itself."""

    MISSING_ALIAS = "missing_alias"
    UNWRITTEN_ALIAS = "unwritten_alias"
    UNWRITTEN_VARIABLE = "unwritten_variable"
    UNWRITTEN_DEFAULT = "unwritten_default"
    CONTRADICTION = "contradiction"
    OTHER_KIND = "other_kind"
    OTHER_VARIABLE = "other_variable"
    OTHER_DEFAULT = "other_default"
    PROJECT_OVERRIDE_SERVES = "project_override_serves"
    OVERRIDE_SERVES = "override_serves"
    ENVIRONMENT_SERVES = "environment_serves"
    DEFAULT_SERVES = "default_serves"
    BUILTIN_DIFFERS = "builtin_differs"
    VARIABLE_NOT_READ = "variable_not_read"


SERVES: Mapping[Source, Code] = {
    Source.PROJECT_OVERRIDE: Code.PROJECT_OVERRIDE_SERVES,
    Source.OVERRIDE: Code.OVERRIDE_SERVES,
    Source.ENVIRONMENT: Code.ENVIRONMENT_SERVES,
    Source.DEFAULT: Code.DEFAULT_SERVES,
}
"""What serves where the document says that something else does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding on one alias. `lines` are those of the document, in order; `written` what it says there, `live` what
    is the case, `fix` where either is changed. `project` None: for all. `is_note`: the document can't say it."""

    code: Code
    alias: str
    lines: tuple[int, ...]
    written: str
    live: str
    fix: str
    project: str | None = None
    is_note: bool = False

    @property
    def level(self) -> Level:
        """What it means."""
        return Level.NOTE if self.is_note else Level.DRIFT

    def as_row(self) -> dict[str, Any]:
        """The finding as commands show it."""
        return {
            "level": self.level.value,
            "code": self.code.value,
            "alias": self.alias,
            "project": self.project,
            "lines": list(self.lines),
            "document": self.written,
            "live": self.live,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True)
class ModelWarning:
    """A model that is gone, going, switched off or unknown; where the document and the live matrix name it, and `fix`,
    the command or the place that changes the latter."""

    code: str
    model: str
    text: str
    shutdown_date: date | None
    replacement: str
    lines: tuple[int, ...]
    live: tuple[str, ...]
    fix: str

    def as_row(self) -> dict[str, Any]:
        """The warning as commands show it."""
        return {
            "level": Level.WARNING.value,
            "code": self.code,
            "model": self.model,
            "shutdown_date": str(self.shutdown_date) if self.shutdown_date else None,
            "replacement": self.replacement,
            "lines": list(self.lines),
            "live": list(self.live),
            "fix": self.fix,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that was found, drift first, in the order of the document."""

    differences: tuple[Difference, ...]
    warnings: tuple[ModelWarning, ...]

    def of_level(self, level: Level) -> Iterator[Difference]:
        """The differences of a level."""
        return (each for each in self.differences if each.level is level)
