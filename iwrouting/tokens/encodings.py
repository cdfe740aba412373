"""The encodings of this process, and how many tokens a text has."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import tiktoken

from iwrouting.tokens.files import FILES, prepare, tokenizers_dir

USUAL = "o200k_base"
"""The encoding of gpt-4o and everything after it."""

KNOWN = frozenset(file.encoding for file in FILES)
PIECE = 8_192
"""Longer texts are encoded in pieces of so many characters: time is then linear in the length, whatever the text is
(the merges of one long word are not), and tiktoken's regular expression can't run out of stack, as it does over a
million blanks."""

SEARCHED = 1_024
"""How far back from a piece's end a good place for the cut is looked for."""

_lock = threading.Lock()
_loaded: dict[str, tiktoken.Encoding] = {}


def encoding_of(model: str) -> tuple[str, bool]:
    """A model's encoding, and whether tiktoken knows that: for any other model the usual one is a guess."""
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return USUAL, False
    return (name, True) if name in KNOWN else (USUAL, False)


def warm() -> None:
    """Load the usual encoding now; the other one is loaded at its first use. Raises TokenizersMissing."""
    load(USUAL)


def load(name: str) -> tiktoken.Encoding:
    """One of KNOWN, loaded once, from files that were checked just before. Raises TokenizersMissing."""
    with _lock:
        if name not in _loaded:
            folder = tokenizers_dir()
            prepare(folder)
            os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
            _loaded[name] = tiktoken.get_encoding(name)
        return _loaded[name]


def count_text(text: str, encoding: str) -> int:
    """The tokens of a text. Special markers in it are text like any other.

    Exact up to PIECE characters, and beyond as long as a letter or digit stands before some blank of each piece;
    else up to two tokens a piece too many.
    """
    encode = load(encoding).encode_ordinary
    if len(text) <= PIECE:
        return len(encode(text))
    return sum(len(encode(piece)) for piece in pieces(text))


def pieces(text: str) -> Iterator[str]:
    """A text in pieces of at most PIECE characters, cut where no token can span: between a word and a blank."""
    begin = 0
    while len(text) - begin > PIECE:
        end = _cut(text, begin + PIECE)
        yield text[begin:end]
        begin = end
    yield text[begin:]


def _cut(text: str, limit: int) -> int:
    """Where a piece that may reach to `limit` ends."""
    end = text.rfind(" ", limit - SEARCHED, limit + 1)
    while end > 0:
        if text[end - 1].isalnum():
            return end
        end = text.rfind(" ", limit - SEARCHED, end)
    return limit
