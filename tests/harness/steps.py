"""The steps of a run: each is one command, in the order in which they run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

LINT = ("ruff", "format", "mypy")
TESTS = ("sqlite", "postgres")
ASKED_FOR = ("prometheus",)
"""Steps that run only where they are named: what they need is large, and what they show changes rarely."""

STEPS = LINT + TESTS + ASKED_FOR
GROUPS = {"lint": LINT, "tests": TESTS, **{step: (step,) for step in STEPS}}

# One file's tests stay in one worker, so that a server started for a file is started once.
PYTEST = (
    "-m",
    "pytest",
    "-p",
    "tests.harness.offline",
    "-p",
    "tests.harness.apart",
    "-n",
    "3",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
    "--timeout",
    "60",
)
COMMANDS = {
    "ruff": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy"),
}
PROMETHEUS = ("-m", "pytest", "-p", "tests.harness.offline", "--timeout", "120", "tests/prometheus")


def chosen(names: Sequence[str]) -> list[str]:
    """The steps that these names stand for, in running order; no names: all but ASKED_FOR.

    Raises KeyError for another name.
    """
    asked = {step for name in names for part in name.split(",") for step in GROUPS[part.strip()]}
    return [step for step in STEPS if step in asked or (not names and step not in ASKED_FOR)]


def command(step: str, report: Path, extra: Sequence[str]) -> list[str]:
    """The command of a step. report: where pytest writes its JUnit XML. extra: a developer's arguments to pytest."""
    if step in LINT:
        return [sys.executable, *COMMANDS[step]]
    tests = PROMETHEUS if step == "prometheus" else PYTEST
    return [sys.executable, *tests, f"--junitxml={report}", "-o", "junit_family=xunit2", *extra]
