"""Counts which entries of the word lists occur in a text, in one pass over its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from iwrouting.autoroute import rules, vocabulary

ASCII_WORD = re.compile("[a-z0-9_]+")
WORD = re.compile(rf"[^\W{rules.CJK}{rules.UNSPACED}]+")  # Latin words stand out of Chinese text
CJK = re.compile(f"[{rules.CJK}]")
STEM = 3  # letters by which words with a star are found
SHORT_STEM = 2  # the same for stems of two letters, which only scripts of syllables have


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One entry of a word list: the feature it counts for, its text without the star, and whether it had one."""

    feature: str
    text: str
    star: bool


class Lexicon:
    """The entries by how they are found. Built once, then only read."""

    def __init__(self, lists: Mapping[str, str]) -> None:
        """Sort the entries; lists: feature -> entries, separated by commas."""
        self.words: dict[str, list[Entry]] = {}
        self.stems: dict[str, list[Entry]] = {}
        self.short_stems: dict[str, list[Entry]] = {}
        self.phrases: dict[tuple[str, str], list[Entry]] = {}
        self.open_phrases: dict[str, list[Entry]] = {}
        self.unspaced: list[Entry] = []
        for feature, listed in lists.items():
            for text in dict.fromkeys(" ".join(each.split()) for each in listed.split(",")):
                self._add(Entry(feature, text.removesuffix("*"), text.endswith("*")))

    def _add(self, entry: Entry) -> None:
        first, _, rest = entry.text.partition(" ")
        if CJK.search(entry.text):
            self.unspaced.append(entry)
        elif rest and entry.star:
            self.open_phrases.setdefault(first, []).append(entry)
        elif rest:
            self.phrases.setdefault((first, rest.partition(" ")[0]), []).append(entry)
        elif entry.star and len(first) == SHORT_STEM:
            self.short_stems.setdefault(first, []).append(entry)
        elif entry.star:
            self.stems.setdefault(first[:STEM], []).append(entry)
        else:
            self.words.setdefault(first, []).append(entry)

    def count(self, text: str) -> dict[str, int]:
        """How many different entries of each list occur in `text`; lists without any are left out."""
        ascii_only = text.isascii()
        lowered = (text if ascii_only else unicodedata.normalize("NFC", text)).lower()
        for written, alike in vocabulary.ALIKE:
            lowered = lowered.replace(written, alike)
        row = (ASCII_WORD if ascii_only else WORD).findall(lowered)
        tokens = set(row)
        found = [*self._words(tokens), *self._stems(tokens), *self._phrases(row, tokens)]
        if not ascii_only:
            found += [*self._short_stems(tokens), *self._unspaced(lowered)]
        counts: dict[str, int] = {}
        for entry in found:
            counts[entry.feature] = counts.get(entry.feature, 0) + 1
        return counts

    def _words(self, tokens: set[str]) -> list[Entry]:
        return [entry for token in self.words.keys() & tokens for entry in self.words[token]]

    def _stems(self, tokens: set[str]) -> set[Entry]:
        found: set[Entry] = set()
        for token in tokens:
            for entry in self.stems.get(token[:STEM], ()):
                if token.startswith(entry.text):
                    found.add(entry)
        return found

    def _short_stems(self, tokens: set[str]) -> list[Entry]:
        starts = self.short_stems.keys() & {token[:SHORT_STEM] for token in tokens}
        return [entry for start in starts for entry in self.short_stems[start]]

    def _unspaced(self, lowered: str) -> list[Entry]:
        return [entry for entry in self.unspaced if entry.text in lowered] if CJK.search(lowered) else []

    def _phrases(self, row: list[str], tokens: set[str]) -> list[Entry]:
        candidates = [entry for pair in self.phrases.keys() & set(pairwise(row)) for entry in self.phrases[pair]]
        candidates += [entry for first in self.open_phrases.keys() & tokens for entry in self.open_phrases[first]]
        if not candidates:
            return []
        line = f" {' '.join(row)} "
        return [entry for entry in candidates if f" {entry.text}{'' if entry.star else ' '}" in line]


LEXICON = Lexicon(vocabulary.VOCABULARY)
CONTINUE = Lexicon({"continued": vocabulary.CONTINUE})
