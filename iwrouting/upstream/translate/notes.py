"""What a translation changes, drops or refuses: everything is said, nothing is lost silently (openai-facts.md 2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from iwrouting.errors import BadRequest

TRANSLATED = "translated chat to responses"
MAX_CHANGES = 32
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Notes:
    """The changes of one translation, each told once; a strict one refuses where it would drop something."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self._changes: list[str] = []
        self._more = 0

    @property
    def changes(self) -> tuple[str, ...]:
        """What was told, in order; after 32 changes the rest is only counted."""
        return (*self._changes, f"and {self._more} more") if self._more else tuple(self._changes)

    def add(self, change: str) -> None:
        """Record a change that takes nothing away from the caller."""
        if change in self._changes:
            return
        if len(self._changes) < MAX_CHANGES:
            self._changes.append(change)
        else:
            self._more += 1

    def drop(self, param: str, what: str = "") -> None:
        """Record that a field is left out. Raises BadRequest that names it where the translation is strict."""
        if self.strict:
            raise untranslatable(
                param,
                "Leave it out, or ask a model that is served at /v1/chat/completions: the project's setting "
                "strict_parameters forbids to drop it.",
            )
        self.add(f"dropped {what or param}")

    def extras(self, given: Mapping[str, Any], known: Collection[str], where: str) -> None:
        """Record the members of an object that the translation does not know; null counts as not given."""
        for name, value in given.items():
            if value is not None and name not in known:
                self.drop(f"{where}.{shown(name)}")


def shown(name: str) -> str:
    """A caller's field name as it may stand in a record: other text than a plain name is kept out (G6)."""
    return name if PLAIN_NAME.fullmatch(name) else "unknown_field"


def malformed(param: str, expected: str) -> BadRequest:
    """400 for a field that no provider would take."""
    return BadRequest(f"{param}: expected {expected}.", param=param)


def untranslatable(param: str, next_step: str) -> BadRequest:
    """400 for a field without an equivalent in the Responses API."""
    return BadRequest(
        f"{param}: has no equivalent in the Responses API, at which this model is served. {next_step}",
        param=param,
        code="unsupported_parameter",
    )
