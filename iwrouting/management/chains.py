"""What the commands that look at the chain share: its keys, the journals in sight, exported values."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from iwrouting.audit.tamper.awaited import Surroundings
from iwrouting.audit.tamper.chain import AuditKey, make_key
from iwrouting.audit.tamper.sealed import Exported
from iwrouting.conf import settings

STATEMENT_TIMEOUT_MS = 30_000


def all_keys() -> list[AuditKey]:
    """The keys of IW_AUDIT_KEY, the one that writes first."""
    return [make_key(text) for text in settings().audit_keys]


def surroundings() -> Surroundings:
    """What can be seen from here of journals; makes nothing."""
    folder = settings().journals
    try:
        name = (folder / "id").read_text().strip()
    except OSError:
        name = ""
    return Surroundings(folder, name, settings().writer_dead_s)


def exported_of(text: str) -> Exported:
    """An exported seal among the options."""
    try:
        return Exported.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@contextmanager
def bounded_statements() -> Iterator[None]:
    """No statement within the block runs long; one that would is a fault to be told, not waited for."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_TIMEOUT_MS)])
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
