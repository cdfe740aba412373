"""Options of commands that name a moment of the configuration's past, or a time to come."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta

from iwrouting.snapshot.moments import find_moment, read_moment

SPAN = re.compile(r"([0-9]{1,5})([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_moment(parser: argparse.ArgumentParser, name: str, said: str) -> None:
    """An option that takes a revision or a time."""
    parser.add_argument(
        name, type=moment, metavar="REVISION|TIME", help=f"{said}: a revision, or a time such as 2026-11-01T00:00:00Z."
    )


def moment(text: str) -> int | datetime:
    """A revision or a time, for argparse."""
    try:
        return read_moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def revision_of(asked: int | datetime) -> int:
    """The revision in force at a moment. Raises NoSuchRevision."""
    return find_moment(asked).revision


def span(text: str) -> timedelta:
    """A length of time such as 90m, 12h, 7d or 2w, for argparse."""
    found = SPAN.fullmatch(text)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: give one such as 12h, 7d or 2w")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def time(text: str) -> datetime:
    """A time with its zone, or a length of time from now on, for argparse."""
    if SPAN.fullmatch(text):
        return datetime.now(UTC) + span(text)
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no time: give one such as 2026-12-01T00:00:00Z, or 7d from now")
