"""A client's or a provider's log as a file: its lines, and whether it was a log at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from iwrouting.reports.reconcile.columns import FIELDS, Columns, client_line, provider_line
from iwrouting.reports.reconcile.files import BadFile, Record, Source
from iwrouting.reports.reconcile.lines import ClientLine, ProviderLine

Line = TypeVar("Line", ClientLine, ProviderLine)
Make = Callable[[int, Record], Line]


class LogFile(Generic[Line]):
    """One log. `source` counts its lines while they are read; `columns.seen` has the fields that it tells."""

    def __init__(self, source: Source, columns: Columns, make: Make[Line]) -> None:
        self.source = source
        self.columns = columns
        self._make: Make[Line] = make

    def lines(self) -> Iterator[Line]:
        """Its lines. Raises BadFile: it can't be read, or it has no line that can be compared."""
        yield from self.source.read(self._make)
        check(self.source, self.columns)


def client_log(source: Source, mapped: Mapping[str, str]) -> LogFile[ClientLine]:
    """A client's log."""
    columns = Columns("client", mapped)
    return LogFile(source, columns, client_line(columns))


def provider_log(source: Source, mapped: Mapping[str, str]) -> LogFile[ProviderLine]:
    """A provider's log."""
    columns = Columns("provider", mapped)
    return LogFile(source, columns, provider_line(columns))


def check(source: Source, columns: Columns) -> None:
    """Raises BadFile where a file gave no line, or has no column that was mapped."""
    found = ", ".join(source.columns[:40]) or "none"
    lacking = sorted(set(columns.mapped) - columns.seen)
    if lacking:
        named = ", ".join(f"{columns.mapped[field]!r} for {field}" for field in lacking)
        raise BadFile(f"{source.path} has no column {named}. Columns found: {found}.")
    if not source.lines:
        why = f"{source.reasons[0]}. " if source.reasons else ""
        raise BadFile(
            f"{source.path} has no line that can be compared. {why}Columns found: {found}. "
            "Name those that are meant with --map FIELD=COLUMN."
        )


def read_mapping(pairs: Iterable[str], ledgers: Collection[str]) -> dict[str, dict[str, str]]:
    """The columns by ledger and field, from texts `field=column` or `ledger.field=column`. Raises BadFile.

    ledgers: those of which there is a file; without its name a field goes to the one that has it.
    """
    found: dict[str, dict[str, str]] = {ledger: {} for ledger in FIELDS}
    for pair in pairs:
        name, _, column = pair.partition("=")
        ledger, _, field = name.strip().rpartition(".")
        fitting = [each for each in ledgers if field in FIELDS[each] and ledger in ("", each)]
        if len(fitting) > 1:
            spelled = " or ".join(f"{each}.{pair}" for each in fitting)
            raise BadFile(f"--map {pair!r:.80} may be of more than one file: give {spelled}.")
        if not fitting or not column.strip():
            known = "; ".join(f"{each}: {', '.join(FIELDS[each])}" for each in ledgers)
            raise BadFile(f"--map {pair!r:.80} is not FIELD=COLUMN. Fields of the files given: {known or 'none'}.")
        found[fitting[0]][field] = column.strip()
    return found
