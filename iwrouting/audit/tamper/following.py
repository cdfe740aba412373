"""Follows the chain of one writer, row by row, and tells what breaks it. Pure: rows come in, findings go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from iwrouting.audit.tamper.chain import FIRST, HASH, AuditKey, link
from iwrouting.audit.tamper.findings import (
    EDITED,
    HEAD,
    INSERTED,
    KEPT,
    LINK,
    REMOVED,
    TAIL,
    Finding,
    Tally,
    of_row,
)
from iwrouting.audit.tamper.placed import Placed, covered_by, is_cut, is_quarantined

STREAK = 20
"""So many rows one after another that do not fit are named singly; a longer stretch is one finding."""

CHANGED = "its contents or its hash were changed, or it was put in: its hash is not the one that its contents give"
CONTENTS = "its contents were changed: the row after it builds on its hash, which they do not give"
HASH_ONLY = "its chain_hash was changed: its contents and the row after it agree on another one"


class Run(NamedTuple):
    """Consecutive numbers that retention removed, and the hash of the last of these rows."""

    first: int
    last: int
    last_hash: str


class Head(NamedTuple):
    """The hash that somebody knows for a number."""

    chain_hash: str
    told_by: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a writer besides its rows.

    `last` is the highest number that was told, by `last_by`. `look_again` gives what came for a range of numbers since:
    rows and runs. `awaited` says why missing rows may still come; an empty text: they can't.
    """

    heads: Mapping[int, Head] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    last: int = 0
    last_by: str = ""
    look_again: Callable[[int, int], tuple[Sequence[Placed], Sequence[Run]]] = lambda first, last: ((), ())
    awaited: Callable[[], str] = lambda: ""


class Place(NamedTuple):
    """Where to go on: the next number, and the hash before it; None where that is not known."""

    number: int = 1
    previous: str | None = FIRST


START = Place()


class Follower:
    """One writer's chain from a place on. `see` takes each row once, in the order of the numbers; then `end`."""

    def __init__(self, writer: str, key: AuditKey | None, known: Known, tally: Tally, start: Place = START) -> None:
        self._writer = writer
        self._key = key
        self._known = known
        self._tally = tally
        self._next, self._previous = start
        self._runs = sorted(known.runs)
        self._late: Sequence[Run] = ()
        self._before: tuple[str | None, str | None] = (None, None)
        # Of a row that did not fit: what its contents give, and the finding, which the next row makes more exact.
        self._computed: str | None = None
        self._held: Finding | None = None
        self._last_row: Placed | None = None
        self._streak: list[Placed] = []
        self._streak_length = 0
        self._skip_runs()

    @property
    def place(self) -> Place | None:
        """Where another could go on from here; None amid rows that do not fit."""
        return None if self._streak_length else Place(self._next, self._previous)

    def see(self, row: Placed) -> None:
        """Take the next row."""
        if row.number != self._next:
            if row.number < self._next:
                self._out_of_place(row)
                return
            self._hole(row.number - 1, REMOVED)
            if row.number < self._next:
                self._out_of_place(row)
                return
        self._check(row)

    def end(self) -> None:
        """There is no further row: tell what is missing at the tail."""
        if self._known.last >= self._next:
            self._hole(self._known.last, TAIL)
        self._fits_not()

    def _check(self, row: Placed) -> None:
        stored = row.values[HASH]
        if is_quarantined(row):
            self._tally.quarantined += 1
        if is_cut(row):
            self._tally.unchecked += 1
            self._fits_not()
        elif self._previous is not None and self._key is not None:
            self._compare(row, stored)
        elif stored == "":
            self._tally.add(of_row(INSERTED, row, "it has a number and no hash, amid rows that have one"))
            return
        else:
            self._tally.unchecked += 1
        head = self._known.heads.get(row.number)
        if head is not None and head.chain_hash != stored:
            self._tally.add(of_row(HEAD, row, f"{head.told_by} holds another hash for it"))
        self._last_row = row
        self._previous = stored
        self._next = row.number + 1
        if self._runs:
            self._skip_runs()

    def _compare(self, row: Placed, stored: str) -> None:
        previous, other = self._before = (self._previous, self._computed)
        covered = covered_by(row)
        computed = self._link(previous, covered)
        if computed == stored:
            self._fits(CONTENTS)
        elif other is not None and self._link(other, covered) == stored:
            self._fits(HASH_ONLY)
        else:
            self._mismatch(row, computed)

    def _link(self, previous: str | None, covered: bytes | None) -> str | None:
        if self._key is None or previous is None or covered is None:
            return None
        return link(self._key, previous, covered)

    def _fits(self, text: str) -> None:
        """A row fits; `text` is what that says of the one before it, where that did not."""
        self._tally.rows += 1
        if self._streak_length:
            self._flush(text)

    def _fits_not(self) -> None:
        """Nothing more will be known of the row that did not fit."""
        if self._streak_length:
            self._flush(CHANGED)

    def _mismatch(self, row: Placed, computed: str | None) -> None:
        if self._held is not None:
            self._tally.add(self._held)
            self._held = None
        self._streak_length += 1
        self._computed = computed
        if self._streak_length > STREAK:
            self._streak = [*self._streak[:1], row]
            return
        behind = self._last_row
        if self._streak_length == 1 and behind is not None and is_cut(behind):
            text = (
                f"it does not build on the hash of number {behind.number}, which stands in quarantine: one was changed"
            )
            self._held = of_row(LINK, row, text)
        else:
            self._held = of_row(EDITED, row, CHANGED)

    def _flush(self, text: str) -> None:
        if self._held is not None:
            found, self._held = self._held, None
            self._tally.add(found if found.kind == LINK else replace(found, text=text))
        if self._streak:
            first, last = self._streak[0], self._streak[-1]
            count = self._streak_length - STREAK
            text = f"{count} rows on end do not fit: the chain was written anew from here, or with another key"
            self._tally.add(Finding(EDITED, text, self._writer, first.number, last.number))
        self._streak, self._streak_length, self._computed = [], 0, None

    def _out_of_place(self, row: Placed) -> None:
        """A row whose number is no number, or one that the chain is past."""
        behind = self._last_row
        if any(run.first <= row.number <= run.last for run in self._late):
            return  # read before retention removed it
        if row.number < 1:
            self._tally.add(of_row(INSERTED, row, "it has no number in the chain of its writer"))
        elif behind is None or behind.number != row.number:
            self._tally.add(of_row(INSERTED, row, "its number is one that a seal says retention removed"))
        elif is_quarantined(row) and row.values[HASH] == behind.values[HASH]:
            # Stored after all, while its commit seemed to have failed.
            self._tally.quarantined += 1
        elif self._streak_length and self._is_the_true(row):
            self._held = of_row(INSERTED, behind, "a second row with its number, which its hash does not fit")
            self._previous, self._last_row = row.values[HASH], row
            self._fits(self._held.text)
        else:
            self._tally.add(of_row(INSERTED, row, "a second row with its number"))

    def _is_the_true(self, row: Placed) -> bool:
        covered = covered_by(row)
        return any(self._link(each, covered) == row.values[HASH] for each in self._before if each is not None)

    def _hole(self, last: int, kind: str) -> None:
        """The numbers from the next to `last` are not there."""
        self._fits_not()
        rows, self._late = self._known.look_again(self._next, last)
        self._runs = sorted({*self._runs, *self._late})
        self._skip_runs()
        for row in rows:
            if row.number < self._next:
                self._out_of_place(row)
                continue
            self._missing(row.number - 1, kind)
            self._check(row)
        self._missing(last, kind)

    def _missing(self, last: int, kind: str) -> None:
        while self._next <= last:
            until = min([last, *(run.first - 1 for run in self._runs[:1])])
            self._tell_missing(self._next, until, kind)
            self._next, self._previous, self._last_row = until + 1, None, None
            self._skip_runs()

    def _tell_missing(self, first: int, last: int, kind: str) -> None:
        reason = self._known.awaited()
        heads = self._known.heads.items() if len(self._tally.findings) < KEPT else ()
        told = [f"{head.told_by} knows number {number}" for number, head in heads if first <= number <= last]
        if kind == TAIL:
            told.insert(0, f"{self._known.last_by} knows {self._known.last} as the last")
        text = "; ".join(["neither stored, in quarantine nor sealed as removed", *told[:3]])
        if reason:
            self._tally.wait(Finding("pending", reason, self._writer, first, last))
        else:
            self._tally.add(Finding(kind, text, self._writer, first, last))

    def _skip_runs(self) -> None:
        """Go on behind what retention removed."""
        while self._runs and self._runs[0].first <= self._next:
            run = self._runs.pop(0)
            if run.last >= self._next:
                self._fits_not()
                self._next, self._previous, self._last_row = run.last + 1, run.last_hash, None


def fitting_key(keys: Iterable[AuditKey], rows: Sequence[Placed], start: Place) -> AuditKey | None:
    """The key with which one of these rows was hashed; None where none fits."""
    previous, number = start.previous, start.number
    pairs = []
    for row in rows:
        if row.number == number and previous is not None and not is_quarantined(row):
            pairs.append((previous, covered_by(row), row.values[HASH]))
        previous, number = row.values[HASH], row.number + 1
    for key in keys:
        if any(covered is not None and link(key, before, covered) == stored for before, covered, stored in pairs):
            return key
    return None
