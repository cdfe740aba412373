"""Whether a line that said nothing looks as if it meant to: then it is told, and not skipped in silence."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from iwrouting.planning.matrix.words import EMBEDDING_VARIABLE, MENTION, PREFIX

WORD = re.compile(r"\w+")
MAX_LINE = 10_000
"""Longer lines are prose: no form is looked for in them, and no misspelt name."""

SHORTEST, LONGEST = 9, 90
LIKENESS = 0.75


def names_variable(text: str) -> bool:
    """Whether a text names a routing variable, or something that may be one misspelt."""
    if MENTION.search(text):
        return True
    return len(text) <= MAX_LINE and any(map(_is_near, WORD.findall(text.replace("`", ""))))


def _is_near(word: str) -> bool:
    if not (SHORTEST <= len(word) <= LONGEST and "_" in word and word != PREFIX):
        return False
    return _alike(word[: len(PREFIX)], PREFIX) or _alike(word, EMBEDDING_VARIABLE)


def _alike(word: str, name: str) -> bool:
    matcher = SequenceMatcher(None, word, name, autojunk=False)
    return matcher.quick_ratio() >= LIKENESS and matcher.ratio() >= LIKENESS
