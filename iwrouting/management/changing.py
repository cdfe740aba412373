"""Changes of the configuration by commands: who makes them, and why (ux.md 4)."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from iwrouting.models import ChangedBySql, OpenChange, change
from iwrouting.models.invalid import told_lines
from iwrouting.types import Via

NOT_READY = 4


def add_author(parser: argparse.ArgumentParser, reason: str = "", *, required: bool = True) -> None:
    """`--reason`, required where no default `reason` is given and nothing else is said, and `--as`."""
    said = f"default: {reason}" if reason else "at least 5 characters"
    parser.add_argument(
        "--reason", required=required and not reason, default=reason, help=f"Why; the change list keeps it ({said})."
    )
    parser.add_argument("--as", dest="user", default="", metavar="USER", help="Who does it (default: you).")


def author_of(name: str) -> str:
    """The user of the admin with this name; for an empty name, the person at the terminal. Raises CommandError."""
    if not name:
        return login_name()
    if not get_user_model().objects.filter(username=name).exists():
        raise CommandError(f"--as {name}: there is no such user. Name one of the admin's, or leave it out.")
    return name


def login_name() -> str:
    """Who is logged in at this machine; `unknown` where it has no name for the process's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def change_by(options: Mapping[str, Any], via: Via = Via.CLI, **more: Any) -> Iterator[OpenChange]:
    """The change of a command with `add_author`'s options. Raises CommandError for what refuses it."""
    with told(), change(author=author_of(options["user"]), via=via, reason=options["reason"], **more) as made:
        yield made


@contextmanager
def told() -> Iterator[None]:
    """What refuses a change, as a CommandError."""
    try:
        yield
    except ChangedBySql as error:
        raise CommandError(f"Nothing was changed: {error}.", returncode=NOT_READY) from None
    except ValidationError as error:
        raise CommandError("\n".join(told_lines(error))) from None
