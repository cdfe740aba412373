"""Questions to the resolver from the command line: under which configuration, for which project, at what time."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from django.core.management.base import BaseCommand, CommandError

from iwrouting.calls.caller import known_project
from iwrouting.management.changing import NOT_READY
from iwrouting.management.moments import add_moment
from iwrouting.models import Revision
from iwrouting.planning.bundles.faults import instead
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at
from iwrouting.snapshot.moments import Moment, find_moment
from iwrouting.types import Configuration


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """`--as-of`."""
    add_moment(parser, "--as-of", "As it was then")


def configuration_asked(command: BaseCommand, asked: int | datetime | None) -> tuple[Configuration, datetime]:
    """The configuration in force, or of a moment, and the time by which starts and ends are judged.

    While a change by SQL waits, the revision before it is in force, and that is told. Raises CommandError.
    """
    try:
        if asked is not None:
            moment = find_moment(asked)
            return configuration_at(moment.revision), moment.at
        return _in_force(command)
    except NoSuchRevision as error:
        raise CommandError(str(error)) from None
    except SnapshotRefused as error:
        raise CommandError(f"The configuration can't be read: {error}.", returncode=NOT_READY) from None


def project_asked(config: Configuration, given: str) -> str | None:
    """The slug of a project named by slug or external id; None for an empty name. Raises CommandError."""
    if not given:
        return None
    slug = known_project(config, given)
    if slug is None:
        near = instead(given, config.projects) if config.projects else "There is none."
        raise CommandError(f"There is no project {given}. {near}")
    return slug


def _in_force(command: BaseCommand) -> tuple[Configuration, datetime]:
    now = Moment(Revision.current(), datetime.now(UTC))
    try:
        return load(), now.at
    except SnapshotRefused as error:
        if not Revision.standing().is_touched:
            raise
        command.stderr.write(f"Revision {now.revision} is in force: {error}.")
        return configuration_at(now.revision), now.at
