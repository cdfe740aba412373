"""The audit's writer of a worker, as this deployment wants it."""

from __future__ import annotations

from iwrouting.audit import Bounds, Facts, Place, Writer, make_key, open_store
from iwrouting.audit.writing.heartbeat import MOST_BEAT_S
from iwrouting.audit.writing.stores import database_name
from iwrouting.conf import Settings
from iwrouting.snapshot import SnapshotStore


def make_writer(conf: Settings, snapshots: SnapshotStore) -> Writer:
    """The writer, not started yet. With IW_AUDIT_STRICT it has no journal."""
    bounds = Bounds(
        queue=conf.audit_queue,
        wait_s=conf.audit_wait_s,
        commit_s=min(conf.audit_commit_s, conf.audit_wait_s),
        beat_s=min(MOST_BEAT_S, conf.writer_dead_s / 4),
    )
    place = None if conf.audit_strict else Place(conf.journals, conf.journal_max_mb * 1_000_000, database_name())

    def facts() -> Facts:
        return Facts(snapshots.current.revision, snapshots.fault, snapshots.current.environment.id)

    return Writer(open_store(snapshots.current.environment), bounds, make_key(conf.audit_keys[0]), place, facts)
