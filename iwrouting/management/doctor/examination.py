"""All checks in their order. One that fails is a line too, and stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import Error

from iwrouting.conf import Settings
from iwrouting.management.doctor import audit, configuration, database, folder, told
from iwrouting.management.doctor.results import Level, Result, not_ready

Check = Callable[[Settings], Iterator[Result]]

WITHOUT_DATABASE: tuple[Check, ...] = (
    told.check_settings,
    told.check_secrets,
    told.check_tokenizers,
    folder.check_folder,
    folder.check_left,
    folder.check_snapshot,
)
WITH_DATABASE: tuple[Check, ...] = (
    database.check_durability,
    database.check_rights,
    configuration.check_configuration,
    folder.check_journal_owners,
    audit.check_writers,
    audit.check_keeping,
    audit.check_open,
    audit.check_retention,
)


def examine(conf: Settings, *, with_invariants: bool = True) -> Iterator[Result]:
    """The result of each check, as it comes. What needs the database is left out where that does not answer."""
    for check in WITHOUT_DATABASE:
        yield from check(conf)
    reached = list(database.check_database(conf))
    yield from reached
    if any(result.level is Level.NOT_READY for result in reached):
        return
    for check in (*WITH_DATABASE, *((audit.check_invariants,) if with_invariants else ())):
        try:
            yield from check(conf)
        except Error as error:
            yield not_ready(_name(check), f"can't be asked ({type(error).__name__})", "Try again; see the log.")


def _name(check: Check) -> str:
    return check.__name__.removeprefix("check_")
