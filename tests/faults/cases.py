"""One row of the matrix: a fault, the modes in which it is tried, and the one answer that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.checks import Check, no_more
from tests.faults.modes import ALL

ANSWER, NEXT = "the answer", "the next model's answer"


@dataclass(frozen=True)
class Expected:
    """What the caller gets where another model stands behind, what where none does, and what each try is recorded as.

    `tries`: of the first model, status and error code; `answer 200` for one that succeeded.
    """

    chain: str
    alone: str
    tries: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A fault in some modes. `id` and `title` name the row; `rest` is the fault of the models behind, if they fail too.

    `facts` are columns of the first model, `upstream` the slug of its upstream where it is not the sandbox,
    `asked` what the request holds beside the question. `noted`: what the outcome must say of the usage.
    `check`: what this row promises beyond.
    """

    id: str
    title: str
    fault: Any
    expected: Expected
    modes: tuple[str, ...] = ALL
    rest: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    upstream: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    noted: str = ""
    check: Check = no_more


def onward(*tries: str, alone: str = "502 all_candidates_failed") -> Expected:
    """The next model answers; without one the call fails."""
    return Expected(NEXT, alone, tries)


def stops(answer: str, *tries: str) -> Expected:
    """The call ends here, whatever stands behind."""
    return Expected(answer, answer, tries)


def served(*tries: str) -> Expected:
    """The first model's answer reaches the caller."""
    return Expected(ANSWER, ANSWER, tries or ("200",))


def breaks(code: str, try_code: str = "") -> Expected:
    """Output went out, then the stream ends in an error event without a terminal marker."""
    answer = f"error event {code}"
    return Expected(answer, answer, (f"200 {try_code or code.removeprefix('stream_')}",))
