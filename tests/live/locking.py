"""A database that takes no audit row for a while, and is read as before: what comes meanwhile goes to the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from tests.live.databases import ALIAS, IS_POSTGRESQL, statement
from tests.live.ledger import eventually
from tests.live.live import Live

DRAINED_S = 20.0


@contextmanager
def audit_locked() -> Iterator[None]:
    """Nobody can write the audit within the block."""
    with transaction.atomic(using=ALIAS):
        if IS_POSTGRESQL:
            statement("LOCK TABLE iwrouting_decision, iwrouting_attempt, iwrouting_outcome IN EXCLUSIVE MODE")
        yield
    connections[ALIAS].close()


def wait_until_drained(live: Live) -> None:
    """Wait until the service writes to the database again, and nothing waits in its journal."""

    def state() -> bool:
        audit = live.service.get("/readyz")[1]["audit"]
        return bool(audit["mode"] == "database" and not audit["queued"])

    eventually(state, "the end of the journal", DRAINED_S)
