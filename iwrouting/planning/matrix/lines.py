"""What single lines of a Markdown document say. Each function looks at one line and knows nothing of the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from iwrouting.planning.matrix.words import EN_DASH, MENTION, PREFIX, Unreadable, a_model, a_variable, an_alias, shown
from iwrouting.types.faults import ALL_PROJECTS_NAME

HEADING = re.compile(r"(#{1,6})\s+(?:[0-9]+(?:\.[0-9]+)*\.?\s+)?(.*)")
BULLET = re.compile(r"(\s*)(?:[-*+]|[0-9]{1,9}[.)])\s+(.*)")
LABEL = re.compile(r"\*\*([^*]+)\*\*.*")
BARE = re.compile(rf"\W*({MENTION.pattern})\W*?(?:→|->|=>|=|:)")
SUBJECT = re.compile(r"`([^`]*)`(?:\s+\((?:alias\s+`([^`]*)`|(no variable))\))?\s*(.*)")
MORE = r"(?:\s*,|\s*/|,?\s+or|,?\s*\(or)\s*`[^`]*`\)?"
AFTER = r"\.?(?:\s*\([^`]*\)|\s*[\u2013\u2014-]\s[^`]*)?"
MODELS = re.compile(rf"(`[^`]*`(?:{MORE})*){AFTER}")
MAPPED = re.compile(r"(?:[^`]*[:\s])?`([a-z][a-z0-9_]*)`\s*(?:→|->|=>)\s*`([A-Z][A-Z0-9_]*)`\.?")
SERVED = re.compile(r"`([^`]*)` for (?:`([^`]*)`|(" + ALL_PROJECTS_NAME + r")):\s*(.*)")
RECOMMENDED = re.compile(r"(?:[A-Za-z]+ )?default:\s*(`.*)", re.IGNORECASE)
DEFAULT = re.compile(r"\bdefault:\s*`", re.IGNORECASE)
STATUS = re.compile(r"\W*status\b.*\bdefaults\b", re.IGNORECASE)
PAIR = re.compile(r"`([a-z][a-z0-9_]*):([^`\s]+)`")
SPAN = re.compile(r"`([^`]*)`")
ARROWS = ("→", "->", "=>")
DASHES = (EN_DASH, "\N{EM DASH}", "-", ":")
PROFILES = ("runtime", "design")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a line is about: a variable, an alias, or both. `rest` is what is said."""

    variable: str
    alias: str
    rest: str


def label_of(text: str) -> str:
    """The bold words that a line begins with, if it names no variable; else empty."""
    found = LABEL.fullmatch(text)
    return found[1] if found and not MENTION.search(text) else ""


def profile_of(title: str) -> str:
    """The profile that a heading or a label begins with; empty where it begins with neither."""
    return next((profile for profile in PROFILES if title.lower().startswith(profile)), "")


def subject_of(text: str) -> Subject | None:
    """Whom a line is about that begins with a variable, or with an alias that has none. Raises Unreadable."""
    found = SUBJECT.fullmatch(text)
    if found is None:
        return None
    name, alias, without, rest = found.groups()
    if without:
        return Subject("", an_alias(name), rest)
    if alias or name.startswith(PREFIX) or MENTION.fullmatch(name):
        return Subject(a_variable(name), an_alias(alias) if alias else "", rest)
    return None


def alias_said(text: str) -> Subject | None:
    """Whom a line of defaults is about that names an alias alone: "`summary` → `gpt-4.1-nano`". Raises Unreadable."""
    found = SUBJECT.fullmatch(text)
    if found is None or not found[4].startswith(ARROWS) or found[2] or found[3] or MAPPED.fullmatch(text):
        return None
    return Subject("", an_alias(found[1]), found[4])


def refuse_bare(text: str) -> None:
    """Raise Unreadable for a line that sets a variable in another form than those that are read."""
    if found := BARE.match(text):
        raise Unreadable(f"{found[1]} is set in no form that is read: write - `{found[1]}` → `model`.")


def models_said(rest: str) -> tuple[str, ...] | None:
    """The models that stand after an arrow, any of which will do; None where there is no arrow. Raises Unreadable."""
    arrow = next((each for each in ARROWS if rest.startswith(each)), None)
    if arrow is None:
        return None
    return alternatives(rest.removeprefix(arrow).strip())


def alternatives(text: str) -> tuple[str, ...]:
    """The models of "`a`", "`a` or `b`", "`a` (or `b`)". Raises Unreadable."""
    found = MODELS.fullmatch(text)
    if found is None:
        raise Unreadable(f"{shown(text)} names no model: expected `model`, or `model` or `other`, in backticks.")
    return tuple(a_model(each) for each in SPAN.findall(found[1]))


def is_declared(rest: str) -> bool:
    """Whether a line says nothing but that there is a variable, and what for. Raises Unreadable."""
    if rest in ("", "."):
        return True
    if not rest.startswith(DASHES):
        return False
    if MODELS.fullmatch(rest[1:].strip()) or rest[1:].startswith(">"):
        raise Unreadable(f"{shown(rest)} stands where an arrow was expected: write → `model`.")
    return True


def served_said(text: str) -> tuple[str, str | None, tuple[str, ...]] | None:
    """Alias, project (None: all) and model of "`manager` for `atlas`: `model` (why)". Raises Unreadable."""
    found = SERVED.fullmatch(text)
    if found is None:
        return None
    alias, project, everybody, rest = found.groups()
    return an_alias(alias), None if everybody else project, alternatives(rest)


def mapped_said(text: str) -> tuple[str, str] | None:
    """Alias and variable of "Outline extraction: `blueprint` → `OPENAI_MODEL_BLUEPRINT`." Raises Unreadable."""
    found = MAPPED.fullmatch(text)
    return None if found is None else (found[1], a_variable(found[2]))


def pairs_said(text: str) -> tuple[Sequence[tuple[str, str]], Sequence[str]]:
    """Aliases and models of a status line that lists defaults as `auto:gpt-4.1`, and in words what else stands in its
    backticks but paths of files. Raises Unreadable."""
    pairs = [(alias, a_model(model)) for alias, model in PAIR.findall(text)] if STATUS.match(text) else []
    if not pairs:
        return [], []
    others = [each for each in SPAN.findall(text) if "/" not in each and not PAIR.fullmatch(f"`{each}`")]
    lone = ["A backtick of the status has no partner."] * (text.count("`") % 2)
    return pairs, [*(f"`{each}` is no alias:model." for each in others), *lone]


def means_something(text: str) -> bool:
    """Whether a line that said nothing lists pairs as a status does, or a default."""
    return len(PAIR.findall(text)) > 1 or DEFAULT.search(text) is not None
