"""A request while it is adapted: each change is made here, told here, or refused here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from iwrouting.errors import BadRequest

MAX_SHOWN = 32
WORD = re.compile(r"[A-Za-z0-9_.-]{1,32}")

DEFAULTS: dict[str, tuple[Any, ...]] = {
    "temperature": (1,),
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "stop": ([],),
    "verbosity": ("medium",),
    "text.verbosity": ("medium",),
    "parallel_tool_calls": (True,),
    "tool_choice": ("auto",),
    "response_format": ({"type": "text"},),
    "text.format": ({"type": "text"},),
}
"""What each parameter means when it is left out: dropping it then takes nothing from the caller."""


@dataclass(slots=True)
class Draft:
    """The body so far, and the changes so far. The caller's own objects are never written to.

    A path is a member's name, or two joined by a dot: `reasoning.effort`.
    """

    body: dict[str, Any]
    model: str
    strict: bool = False
    changes: list[str] = field(default_factory=list)

    def has(self, path: str) -> bool:
        """Whether the caller gave it, be it null."""
        outer, _, inner = path.partition(".")
        if not inner:
            return outer in self.body
        return isinstance(self.body.get(outer), dict) and inner in self.body[outer]

    def get(self, path: str) -> Any:
        """Its value; None where it was not given."""
        outer, _, inner = path.partition(".")
        value = self.body.get(outer)
        return (value.get(inner) if isinstance(value, dict) else None) if inner else value

    def drop(self, path: str) -> None:
        """Leave it out."""
        value = self.get(path)
        if value is not None and not _is_default(path, value):
            self._refuse_if_strict(path, value)
        outer, _, inner = path.partition(".")
        if not inner:
            del self.body[outer]
        else:
            kept = {name: each for name, each in self.body[outer].items() if name != inner}
            self.body = {name: kept if name == outer else each for name, each in self.body.items()}
            if not kept:
                del self.body[outer]
        self.changes.append(f"dropped {path}")

    def drop_item(self, name: str, item: str) -> None:
        """Leave one item of a list out, and the list with its last one."""
        self._refuse_if_strict(name, item)
        kept = [each for each in self.body[name] if each != item]
        self.body[name] = kept
        if not kept:
            del self.body[name]
        self.changes.append(f"dropped {name}.{item}")

    def rename(self, old: str, new: str) -> None:
        """Say the same by another name: no loss, so that strictness allows it."""
        self.body[new] = self.body.pop(old)
        self.changes.append(f"renamed {old} to {new}")

    def put(self, path: str, value: str) -> None:
        """Give it another value, a word of the catalogue."""
        self._refuse_if_strict(path, self.get(path))
        self._write(path, value)
        self.changes.append(f"set {path} to {value}")

    def clamp(self, path: str, limit: int) -> None:
        """Give a number the value of the limit that it passes."""
        self._refuse_if_strict(path, self.get(path))
        self._write(path, limit)
        self.changes.append(f"clamped {path} to {limit}")

    def _write(self, path: str, value: Any) -> None:
        outer, _, inner = path.partition(".")
        self.body[outer] = {**(self.body.get(outer) or {}), inner: value} if inner else value

    def _refuse_if_strict(self, path: str, value: Any) -> None:
        if self.strict:
            raise BadRequest(
                f"{path}: {self.model} does not take {shown(value)} here, and the project's setting "
                "strict_parameters forbids to change it. Leave it out, name a model that takes it, or let an operator "
                "turn the setting off.",
                param=path,
                code="unsupported_parameter",
            )


def _is_default(path: str, value: Any) -> bool:
    # True == 1 and 0 == False in Python, and not on the wire.
    return any(type(value) in _kinds(default) and value == default for default in DEFAULTS.get(path, ()))


def _kinds(default: Any) -> tuple[type, ...]:
    return (int, float) if type(default) is int else (type(default),)


def shown(value: Any) -> str:
    """A value as it may stand in an error: numbers and short words; of anything else only what it is (G6)."""
    if value is None:
        return "its default"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)[:MAX_SHOWN]
    if isinstance(value, str):
        return repr(value) if WORD.fullmatch(value) else "this text"
    return "this list" if isinstance(value, list) else "this object"
