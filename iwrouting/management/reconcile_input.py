"""The files of `audit_reconcile`: opened by their kind, with words on how far they are read and what they were."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from iwrouting.management.progress import Progress
from iwrouting.reports.reconcile import BadFile, BadLine, Export, Ledgers, Source, UsageFile, moment
from iwrouting.reports.reconcile.logs import LogFile, client_log, provider_log, read_mapping

LEDGERS = ("client", "provider", "usage")


class Files:
    """What the options name. Raises BadFile."""

    def __init__(self, options: Mapping[str, Any], progress: Progress) -> None:
        mapped = read_mapping(options["map"], [name for name in LEDGERS if options[name]])
        self._progress = progress
        self._read = 0
        given = [options[name] for name in LEDGERS[:2] if options[name]]
        self._bytes = sum(Path(name).stat().st_size for name in given)
        self._client = client_log(self._source(options["client"]), mapped["client"]) if options["client"] else None
        named = options["provider"]
        self._provider = provider_log(self._source(named), mapped["provider"]) if named else None
        self._usage = [UsageFile(Path(name), mapped["usage"]) for name in options["usage"]]
        self._times = (options["from"], options["to"])

    def ledgers(self) -> Ledgers:
        """What is compared with our rows; the logs are read when it is. Raises BadFile."""
        export = None
        if self._usage:
            low, high = (None if at is None else at.timestamp() for at in self._times)
            export = Export.of([line for file in self._usage for line in file.lines()], low, high)
            if not export.width:
                raise BadFile(f"{self._usage[0].source.path} has no bucket of usage between --from and --to.")
        return Ledgers(
            None if self._client is None else self._client.lines(),
            None if self._provider is None else self._provider.lines(),
            export,
        )

    def compared(self, decisions: int) -> None:
        """Take the number of decisions that are compared."""
        self._progress(lambda: f"Compared {decisions:,} decisions.")

    def said(self) -> Iterator[str]:
        """What the files were, and their bad lines."""
        for log in (self._client, self._provider):
            if log is not None:
                yield from _told(log)
        for file in self._usage:
            yield from file.source.reasons
            yield f"{file.source.path}: {file.source.lines:,} lines, {file.source.bad:,} bad."
            if file.more:
                yield f"{file.source.path} says that there are more pages: fetch them too, and give each with --usage."

    def _source(self, path: str) -> Source:
        return Source(Path(path), self._advance)

    def _advance(self, count: int) -> None:
        self._read += count
        self._progress(lambda: f"Read {self._read / 1e6:,.0f} MB of {self._bytes / 1e6:,.0f} MB (files as stored).")


def _told(log: LogFile[Any]) -> Iterator[str]:
    source = log.source
    yield from source.reasons
    fields = ", ".join(sorted(log.columns.seen))
    yield f"{source.path}: {source.lines:,} lines, {source.bad:,} bad. It tells {fields}."


def check_times(options: Mapping[str, Any]) -> None:
    """Refuse a --to that is not after --from: nothing is in between. Raises CommandError."""
    if options["from"] and options["to"] and options["from"] >= options["to"]:
        raise CommandError("--to must be after --from: there is nothing in between.", returncode=2)


def moment_of(text: str) -> datetime:
    """The value of --from and --to."""
    try:
        found = moment(text, "time")
    except BadLine as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found is None:
        raise argparse.ArgumentTypeError("it is empty: give 2026-11-01 or 2026-11-01T12:00:00Z")
    return found
