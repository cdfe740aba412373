"""The files of `audit_reconcile`: opened by their kind, with words on how far they are read and what they were."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import CommandError

from iwrouting.management.progress import Progress
from iwrouting.reports.reconcile import BadFile, BadLine, Export, Ledgers, Source, UsageFile, Used, moment
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
        _check_same(options["usage"])
        self._usage = [UsageFile(Path(name), mapped["usage"]) for name in options["usage"]]
        self._times = (options["from"], options["to"])
        self._twice: list[str] = []

    def ledgers(self) -> Ledgers:
        """What is compared with our rows; the logs are read when it is. Raises BadFile."""
        export = None
        if self._usage:
            low, high = (None if at is None else at.timestamp() for at in self._times)
            lines = {file.source.path: file.lines() for file in self._usage}
            self._twice = list(_twice(lines))
            export = Export.of([line for each in lines.values() for line in each], low, high)
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
        yield from self._twice

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


def _twice(lines: Mapping[Path, Sequence[Used]]) -> Iterator[str]:
    """What stands in two exports, the first of each pair: a page that was fetched twice would count twice."""
    seen: dict[tuple[int, str, bool], Path] = {}
    told: set[tuple[Path, Path]] = set()
    for path, used in lines.items():
        for key in dict.fromkeys(
            (line.start, line.model, line.cost_pico is None) for line in used if not line.is_empty
        ):
            first = seen.setdefault(key, path)
            if first != path and (first, path) not in told:
                told.add((first, path))
                at = datetime.fromtimestamp(key[0], UTC).isoformat().replace("+00:00", "Z")
                what = f"{at} of {key[1] or 'all models'}"
                yield f"{first} and {path} both tell of {what}: both count. Leave one out if it is the same page."


def _check_same(names: Sequence[str]) -> None:
    """Refuse an export that is given twice, under whatever name: all of it would count twice. Raises BadFile."""
    seen: dict[bytes, str] = {}
    for name in names:
        try:
            with Path(name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
        except OSError as error:
            raise BadFile(f"{name} can't be read: {error.strerror or error}.") from None
        if digest in seen:
            raise BadFile(f"{seen[digest]} and {name} are the same export: give it once, or all of it counts twice.")
        seen[digest] = name


def check_times(options: Mapping[str, Any]) -> None:
    """Refuse a --to that is not after --from: nothing is in between. Raises CommandError."""
    if options["from"] and options["to"] and options["from"] >= options["to"]:
        raise CommandError("--to must be after --from: there is nothing in between.", returncode=2)


def zone_of(text: str) -> tzinfo:
    """The value of --zone."""
    try:
        return UTC if text == "UTC" else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone: give a name such as Europe/Berlin") from None


def moment_of(text: str) -> datetime:
    """The value of --from and --to."""
    try:
        found = moment(text, "time")
    except BadLine as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found is None:
        raise argparse.ArgumentTypeError("it is empty: give 2026-11-01 or 2026-11-01T12:00:00Z")
    return found
