"""Which configuration a page is about, as its address says: now, a revision or a time, and under which environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from iwrouting.admin.effective import in_force
from iwrouting.models import EnvironmentSnapshot
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at, environment_of
from iwrouting.snapshot.moments import find_moment, moment_text, read_moment
from iwrouting.types import Configuration

AS_OF, AT, ENVIRONMENT = "as_of", "at", "environment_id"
"""The names in an address. The first and the last are the API's too."""

MOST_ENVIRONMENTS = 20


class BadMoment(ValueError):
    """The address names no configuration; the text says why."""


@dataclass(frozen=True)
class Looked:
    """A configuration, and the time at which starts and ends of overrides are judged.

    `is_now`: neither revision nor time was asked for. `is_own`: the environment is that of this process.
    """

    config: Configuration
    at: datetime
    is_now: bool
    is_own: bool

    @property
    def told(self) -> str:
        """Which configuration it is, in words."""
        environment = "the environment of this process" if self.is_own else f"environment {self.config.environment.id}"
        when = "In force now" if self.is_now else "As it was"
        return f"{when}: revision {self.config.revision} at {moment_text(self.at)}, under {environment}."


def look(params: Mapping[str, str]) -> Looked:
    """What an address asks for. Raises BadMoment.

    A revision is judged at the time of its commit, unless `at` names another. A time: the last revision by then.
    Neither: what is in force now. The environment is this process's, unless one that was recorded is named.
    """
    as_of, at, environment = (params.get(name, "").strip() for name in (AS_OF, AT, ENVIRONMENT))
    try:
        facts = environment_of(environment) if environment else None
        if not as_of:
            config = in_force()
            config = config if facts is None else configuration_at(config.revision, facts)
            return Looked(config, _time(at) if at else timezone.now(), is_now=not at, is_own=not environment)
        moment = find_moment(read_moment(as_of))
        config = configuration_at(moment.revision, facts)
        return Looked(config, _time(at) if at else moment.at, is_now=False, is_own=not environment)
    except (NoSuchRevision, SnapshotRefused, ValueError) as error:
        raise BadMoment(str(error)) from None


def _time(text: str) -> datetime:
    found = read_moment(text)
    if isinstance(found, int):
        raise BadMoment(f"{text[:40]!r} is no time such as 2026-11-22T08:00:00Z.")
    return found


def environments() -> list[tuple[str, str]]:
    """The environments that can be asked for, the newest first: id and words."""
    found = EnvironmentSnapshot.objects.order_by("-first_seen_at").values_list("id", "first_seen_at")
    return [(ident, f"{ident}, since {at:%Y-%m-%d %H:%M}") for ident, at in found[:MOST_ENVIRONMENTS]]
