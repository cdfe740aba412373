"""Wake the poller as soon as PostgreSQL says that a change was committed. The poll alone is enough without it."""

from __future__ import annotations

import logging
import threading

import psycopg
from django.db import connection

from iwrouting.models.base import NOTIFY_CHANNEL

log = logging.getLogger(__name__)
RECONNECT_S = 5.0


def start_listener(wake: threading.Event, stop: threading.Event) -> None:
    """Start a daemon thread that sets `wake` at each notification until `stop` is set; nothing on SQLite."""
    if connection.vendor != "postgresql":
        return
    parameters = connection.get_connection_params()
    parameters = {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}
    threading.Thread(target=_listen, args=(parameters, wake, stop), name="iw-listen", daemon=True).start()


def _listen(parameters: dict[str, object], wake: threading.Event, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            _listen_once(parameters, wake, stop)
        except psycopg.Error as error:
            log.debug("listening for configuration changes failed: %s", type(error).__name__)
            stop.wait(RECONNECT_S)


def _listen_once(parameters: dict[str, object], wake: threading.Event, stop: threading.Event) -> None:
    with psycopg.connect(**parameters, autocommit=True) as link:  # type: ignore[arg-type] # Django's own parameters
        link.execute(f"LISTEN {NOTIFY_CHANNEL}")
        while not stop.is_set():
            for _ in link.notifies(timeout=1.0, stop_after=1):
                wake.set()
