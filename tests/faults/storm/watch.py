"""The sessions that PostgreSQL sees: never above the cap, never idle in a transaction (faults.md T5)."""

from __future__ import annotations

import threading

import psycopg

from tests.faults.storm.databases import HARNESS, Database, PostgreSQL
from tests.faults.storm.proxy import Way

CAP_A_WORKER = 8 + 2 + 2
"""Django's pool (config/settings.py), the writer's connection with one that is being closed, and the listener's."""

IDLE_S = 5
SESSIONS = """
SELECT state, query, extract(epoch FROM now() - state_change) AS seconds FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND application_name <> '%s'
"""


class Watch:
    """Looks all the time. `most`: sessions at once; `idle`: the statements of transactions left open."""

    def __init__(self, database: Database) -> None:
        self.most = 0
        self.idle: list[str] = []
        self._database = database
        self._before = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin, where there is a PostgreSQL."""
        if isinstance(self._database, PostgreSQL):
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        assert isinstance(self._database, PostgreSQL)
        while not self._stop.wait(0.5):
            # A server that no byte reaches does not know either who has gone.
            clear = self._database.proxy.way == Way()
            now = 0
            try:
                now = self._look()
            except psycopg.Error:
                clear = False
            if clear:
                self.most = max(self.most, min(now, self._before))
            self._before = now if clear else 0

    def _look(self) -> int:
        rows = self._database.query(SESSIONS % HARNESS)
        left = (row for row in rows if row["state"] == "idle in transaction" and row["seconds"] > IDLE_S)
        self.idle += [str(row["query"])[:80] for row in left]
        return len(rows)
