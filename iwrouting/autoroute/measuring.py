"""`measure`: messages in, numbers out. No text leaves this module."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from iwrouting.autoroute import rules, syntax
from iwrouting.autoroute.content import Content, asks, content, ends, spoken
from iwrouting.autoroute.inferring import code_points, research_points
from iwrouting.autoroute.lexicon import CONTINUE, LEXICON

CJK = re.compile(f"[{rules.CJK}]")
UNSPACED = re.compile(f"[{rules.UNSPACED}]")


def measure(messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The features of a request: numbers only, never text; those that are 0 are left out.

    messages: as in a chat request; `content` a string, a list of parts, or junk, which counts as nothing. The last
    message of the user decides (or, if it says no more than "go on", the one before it); the newest other messages
    count for less; instructions of the system count for nothing. Never raises; the work is bounded by `rules`.
    """
    said = spoken(messages)
    deciding, continued = _deciding(said)
    features = {"messages": len(messages) if said else 0, "continued": continued}
    if deciding is not None:
        features |= _message(content(said[deciding])) | _history(said, deciding)
    return {name: min(count, rules.FEATURE_MAX) for name in rules.FEATURES if (count := features.get(name))}


def _deciding(said: list[Mapping[str, Any]]) -> tuple[int | None, int]:
    """Which message decides, and how many bare continuations of it were passed over."""
    mine = [place for place in range(len(said) - 1, -1, -1) if asks(said[place])]
    continued = 0
    for place in mine[:-1][: rules.CONTINUE_MAX]:
        if not _only_continues(content(said[place])):
            break
        continued += 1
    return (mine[continued], continued) if mine else (None, 0)


def _only_continues(held: Content) -> bool:
    short = len(held.text) <= rules.HISTORY_CHARS and _words(held.text, len(held.text)) <= rules.CONTINUE_WORDS
    return short and not held.images and not held.files and bool(CONTINUE.count(held.text))


def _message(held: Content) -> dict[str, int]:
    text = ends(held.text, rules.SCAN_HEAD, rules.SCAN_TAIL)
    asked = ends(text, rules.ASK_HEAD, rules.ASK_TAIL)
    size = {"chars": len(held.text), "words": _words(text, len(held.text)), "images": held.images, "files": held.files}
    return size | syntax.count(text) | LEXICON.count(asked)


def _words(text: str, chars: int) -> int:
    """The words of a message of `chars` characters, of which `text` was read; without spaces by the characters."""
    words = len(text.split())
    if not text.isascii():
        words += len(CJK.findall(text)) // rules.CJK_CHARS_PER_WORD
        words += len(UNSPACED.findall(text)) // rules.UNSPACED_CHARS_PER_WORD
    return words if chars <= len(text) else words * chars // len(text)


def _history(said: list[Mapping[str, Any]], deciding: int) -> dict[str, int]:
    """How many of the newest other messages hold code, and how many of the user's among them ask for research."""
    others = [message for place, message in enumerate(said) if place != deciding]
    code = research = 0
    for message in others[-rules.HISTORY_MESSAGES :]:
        text = content(message).text[: rules.HISTORY_CHARS]
        found = syntax.count(text)
        if asks(message):
            found |= LEXICON.count(text)
            research += research_points(found) >= rules.RESEARCH_POINTS
        code += code_points(found) >= rules.CODE_POINTS
    return {"history_code": code, "history_research": research}
