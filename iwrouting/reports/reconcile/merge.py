"""The ledgers side by side: everything that names one decision, together, in the order of the decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from iwrouting.reports.reconcile.lines import Call, ClientLine, Decided, Ended, ProviderLine, Tried
from iwrouting.reports.reconcile.ours import Window


class _Stream:
    """Rows that are sorted by decision, taken decision by decision."""

    def __init__(self, rows: Iterable[Any], place: int) -> None:
        self._groups = groupby(rows, key=lambda row: row[place])
        self.head = ""
        self._rows: list[Any] = []
        self.forward()

    def forward(self) -> None:
        """Go to the next decision; `head` is empty at the end."""
        self.head, rows = next(self._groups, ("", ()))
        self._rows = list(rows)

    def take(self, decision: str) -> list[Any]:
        """The rows of this decision, if it is the next one."""
        if self.head != decision:
            return []
        rows = self._rows
        self.forward()
        return rows


def merge(
    windows: Iterable[Window],
    client: Iterable[ClientLine],
    provider: Iterable[ProviderLine],
    marks: Iterable[tuple[str, str]],
) -> Iterator[Call]:
    """One call for each decision that any of them names."""
    outside = (_Stream(client, 1), _Stream(provider, 1), _Stream(marks, 0))
    for window in windows:
        inside = (_Stream(window.decided, 0), _Stream(window.tried, 0), _Stream(window.ended, 0))
        while ours := min((stream.head for stream in inside if stream.head), default=""):
            yield from _before(ours, outside)
            yield _call(ours, inside, outside)
    yield from _before("", outside)


def _before(decision: str, outside: tuple[_Stream, ...]) -> Iterator[Call]:
    """The calls that only the logs name, up to this decision; all that are left where it is empty."""
    while head := min((stream.head for stream in outside if stream.head), default=""):
        if decision and head >= decision:
            return
        yield _call(head, (), outside)


def _call(decision: str, inside: tuple[_Stream, ...], outside: tuple[_Stream, ...]) -> Call:
    decided: list[Decided] = []
    tried: list[Tried] = []
    ended: list[Ended] = []
    if inside:
        decided, tried, ended = (stream.take(decision) for stream in inside)
    client, provider, marks = (stream.take(decision) for stream in outside)
    return Call(decision, decided, tried, ended, client, provider, marks[0][1] if marks else "")
