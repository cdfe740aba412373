"""What a written matrix says, in one form for Markdown, YAML and environment files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from iwrouting.conf.environment import MODEL_ID, ROUTING_VARIABLE

ALIAS = re.compile(r"[a-z][a-z0-9_]{0,63}")
MENTION = re.compile(r"\b(?:OPENAI_MODEL_[A-Za-z0-9_]+|OPENAI_EMBEDDING_MODEL)\b")
"""What looks like a routing variable, wherever it stands."""

EMBEDDING_VARIABLE = "OPENAI_EMBEDDING_MODEL"
EMBEDDING = "embedding"
PREFIX = "OPENAI_MODEL_"
EN_DASH = "\N{EN DASH}"
MAX_SHOWN = 80


class Form(StrEnum):
    """How a matrix is written down."""

    MARKDOWN = "markdown"
    YAML = "yaml"
    ENV = "env"


class What(StrEnum):
    """What a statement is about."""

    KIND = "kind"
    VARIABLE = "variable"
    DEFAULT = "default"
    EFFECTIVE = "effective"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a document says of an alias, in a line of it.

    `values`: the models of which any will do, one variable (empty: it reads none), or one kind. `profile`: the one that
    a default belongs to, empty for both. `project`: whom a model serves, None for all. `alias` is empty where only the
    variable is named, as in a file of the environment.
    """

    line: int
    what: What
    alias: str
    values: tuple[str, ...]
    profile: str = ""
    project: str | None = None
    variable: str = ""


@dataclass(frozen=True, slots=True)
class NotRead:
    """A line that names a routing variable, or looks as if it belonged to the matrix, and says nothing of it."""

    line: int
    text: str

    def told(self) -> str:
        """One line for people."""
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it was read: what it says, and what in it was not read."""

    form: Form
    statements: tuple[Statement, ...]
    not_read: tuple[NotRead, ...]


@dataclass(frozen=True, slots=True)
class MatrixFault:
    """One thing in a document that can't be read: its line, counted from 1, what stands there and what was expected."""

    line: int
    message: str

    def told(self, file: str) -> str:
        """One line for people."""
        return f"{file}, line {self.line}: {self.message}"


class MatrixRefused(ValueError):
    """A document that can't be read; with every fault that was found."""

    def __init__(self, faults: Iterable[MatrixFault]) -> None:
        self.faults = sorted(dict.fromkeys(faults), key=lambda fault: fault.line)
        super().__init__("\n".join(fault.told("the document") for fault in self.faults))


class Unreadable(ValueError):
    """What one line can't say; the reader adds the line."""


def conventional_alias(variable: str) -> str:
    """The alias that a variable is for by its name: OPENAI_MODEL_PLAN_TASKS is for plan_tasks."""
    return EMBEDDING if variable == EMBEDDING_VARIABLE else variable.removeprefix(PREFIX).lower()


def a_variable(text: str) -> str:
    """The routing variable of this name. Raises Unreadable."""
    if ROUTING_VARIABLE.fullmatch(text):
        return text
    raise Unreadable(f"{shown(text)} is no routing variable: expected OPENAI_MODEL_<ALIAS> or {EMBEDDING_VARIABLE}.")


def an_alias(text: str) -> str:
    """The alias of this name. Raises Unreadable."""
    if ALIAS.fullmatch(text):
        return text
    raise Unreadable(f"{shown(text)} is no name of an alias: expected lower-case letters, digits and underscores.")


def a_model(text: str) -> str:
    """The model of this id. Raises Unreadable."""
    if MODEL_ID.fullmatch(text):
        return text
    raise Unreadable(f"{shown(text)} is no model id: expected one such as gpt-4.1, of letters, digits and ._:/@+-.")


def shown(text: str) -> str:
    """A text of somebody else within a sentence: short, on one line, harmless."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")
