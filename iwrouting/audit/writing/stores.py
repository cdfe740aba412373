"""The two databases behind the writer. Both insert idempotently by id, in one commit a batch."""

from __future__ import annotations

import hashlib

from django.db import connection

from iwrouting.audit.writing.postgresql import PostgreSQLStore
from iwrouting.audit.writing.sqlite import SQLiteStore
from iwrouting.audit.writing.storing import Store
from iwrouting.types import EnvironmentFacts


def open_store(environment: EnvironmentFacts) -> Store:
    """The store of the configured database; it connects at the first batch, and again whenever the link is lost.

    Each connection first stores the routing variables under their `environment_id`.
    """
    if connection.vendor == "postgresql":
        return PostgreSQLStore(dict(connection.get_connection_params()), environment)
    return SQLiteStore(str(connection.settings_dict["NAME"]), environment)


def database_name() -> str:
    """A name for the configured database by its address: no host, no path and no user can be read from it.

    It must be known while the database is away, hence nothing that only the server could tell.
    """
    told = connection.settings_dict
    address = "\0".join(str(told[part]) for part in ("ENGINE", "HOST", "PORT", "NAME"))
    return hashlib.sha256(address.encode()).hexdigest()[:16]
