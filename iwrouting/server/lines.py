"""Jobs that write lines of the change list which no revision made (docs/configuration-operations.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from iwrouting.alerts.findings import this_host
from iwrouting.audit.locks import only_one
from iwrouting.models import Change
from iwrouting.snapshot import SnapshotStore, glass, glass_lines
from iwrouting.snapshot.environment_lines import note_environment
from iwrouting.snapshot.lines import tell, untold
from iwrouting.snapshot.schedule import took_effect
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import ChangeKind

MARGIN = timedelta(hours=1)
"""So far back it is looked again: a change commits a moment after the time that it bears."""


class LineWriter:
    """Writes them for one worker. Each call may be made at any time and any number of times; all are blocking.

    They raise DatabaseError, LockFault, JournalFault, OSError: what was not written then is due again.
    """

    def __init__(self, store: SnapshotStore) -> None:
        self._store = store
        self._begun_at = datetime.now(UTC)
        self._noted = False
        self._seen_until: datetime | None = None

    def environment(self) -> None:
        """Tell, once for this process, if the host began with other routing variables than before."""
        if not self._noted:
            note_environment(self._store.current.environment, this_host(), self._begun_at)
            self._noted = True

    def schedule(self) -> None:
        """Tell what was scheduled and took effect since it was last told."""
        now = datetime.now(UTC)
        due = untold(took_effect(self._since(), now))
        if due:
            with only_one("lines.schedule") as ours:
                if not ours:
                    return
                tell(due)
        self._seen_until = now

    def break_glass(self) -> None:
        """Lift what the database has settled, then tell what was done by break-glass."""
        try:
            panes = glass.read()
        except Unusable:
            return  # the watch tells of it, and alerts do
        if not panes:
            return
        if self._store.plain is not None and self._store.source == "database" and not self._store.fault:
            glass_lines.lift_settled(self._store.plain, datetime.now(UTC).replace(microsecond=0))
            panes = glass.read()
        if due := untold(glass_lines.lines_of(panes)):
            tell(due)
        glass_lines.forget(panes)

    def _since(self) -> datetime | None:
        told = Change.objects.filter(kind=ChangeKind.SCHEDULE).order_by("-at").values_list("at", flat=True).first()
        known = [each for each in (told, self._seen_until) if each is not None]
        return max(known) - MARGIN if known else None
