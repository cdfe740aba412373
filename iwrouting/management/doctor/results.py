"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`warning`: it works, and an operator should know; `finding`: something is wrong; `not_ready`: can't be asked."""

    OK = "ok"
    WARNING = "warning"
    FINDING = "finding"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class Result:
    """One line: what was looked at, how it is, and the next step where there is one."""

    check: str
    level: Level
    message: str
    next_step: str = ""


def ok(check: str, message: str) -> Result:
    """All is well."""
    return Result(check, Level.OK, message)


def warning(check: str, message: str, next_step: str) -> Result:
    """It works, and an operator should know."""
    return Result(check, Level.WARNING, message, next_step)


def finding(check: str, message: str, next_step: str) -> Result:
    """Something is wrong."""
    return Result(check, Level.FINDING, message, next_step)


def not_ready(check: str, message: str, next_step: str) -> Result:
    """It can't be asked."""
    return Result(check, Level.NOT_READY, message, next_step)
