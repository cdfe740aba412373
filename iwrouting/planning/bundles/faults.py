"""What is wrong with a bundle, and where: file, line, section, object, field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class BundleFault:
    """One thing that is wrong. `line` counts from 1; `section`, `name` and `field` are empty where none is meant.

    `message` names the value, unless it may be a secret, and the next step.
    """

    file: str
    line: int
    message: str
    section: str = ""
    name: str = ""
    field: str = ""

    def told(self) -> str:
        """One line for people: `iwrouting.yaml, line 12, overrides, manager for atlas, model: ...`."""
        place = (self.file, f"line {self.line}", self.section, self.name, self.field)
        return f"{', '.join(part for part in place if part)}: {self.message}"


class BundleRefused(ValueError):
    """A bundle that can't be read, or not be meant; with every fault that was found."""

    def __init__(self, faults: Iterable[BundleFault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(fault.told() for fault in self.faults))


def instead(name: str, known: Iterable[str]) -> str:
    """What may have been meant: the nearest name, or all there are."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
