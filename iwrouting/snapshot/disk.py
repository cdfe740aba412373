"""The last accepted configuration as a file, so that a process can start while the database is away (design.md 9.11).

The file is `snapshot` in the folder of the journals: a line with its form, a line with an HMAC-SHA256 under a key made
of IW_SECRET_KEY, and JSON. It is replaced whole, and only its owner may read it. Blocking: all of this belongs into a
thread.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from iwrouting import __version__
from iwrouting.conf import settings
from iwrouting.conf.points import hit
from iwrouting.snapshot import sealed, stored
from iwrouting.snapshot.assemble import check, check_apart
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import Configuration

NAME = "snapshot"
FORM = b"iwrouting snapshot 1\n"
FORMS = b"iwrouting snapshot "
MOST_BYTES = 256_000_000
AHEAD = timedelta(minutes=5)
"""By how much another clock may be ahead of ours."""


SnapshotUnusable = Unusable
"""The file can't be used; the text says why and names no value of it."""


def path() -> Path:
    """Where it is."""
    return settings().journals / NAME


def write(config: Configuration, confirmed_at: datetime) -> None:
    """Replace the file, on disk when this returns. Raises OSError: then the former one is there."""
    payload = stored.encode(config, __version__, confirmed_at)
    hit("snapshot.before_write")
    sealed.replace(path(), sealed.sealed(FORM, _mac(payload), payload), lambda: hit("snapshot.before_rename"))
    hit("snapshot.after_rename")


def read() -> Configuration:
    """The kept configuration under this process's environment, checked. Raises SnapshotUnusable or SettingsError."""
    return usable(read_kept())


def read_kept() -> stored.Kept:
    """What the file holds, proved to be ours. Raises SnapshotUnusable."""
    written = sealed.read(path(), MOST_BYTES)
    if not written.startswith(FORM):
        form = "of another form: start the release that wrote it, or let this one reach the database once"
        raise SnapshotUnusable(form if written.startswith(FORMS) else "damaged: its beginning is not ours")
    payload = sealed.unsealed(written, FORM, _mac)
    try:
        return stored.decode(payload)
    except stored.Unfit as error:
        raise SnapshotUnusable(str(error)) from None


def usable(kept: stored.Kept) -> Configuration:
    """The configuration in it, if it would be accepted from a database. Raises SnapshotUnusable or SettingsError."""
    config = stored.revive(kept)
    try:
        check_apart(kept.configuration.upstreams, config.default_upstream)
        check(config)
    except SnapshotRefused as error:
        raise SnapshotUnusable(str(error)) from None
    return config


def stale_reason(config: Configuration, now: datetime) -> str:
    """Why a configuration from disk serves no call any more; empty where it does, or is none from disk."""
    if config.from_disk is None:
        return ""
    age, limit = now - config.from_disk, settings().snapshot_max_age_s
    if age > timedelta(seconds=limit):
        return (
            f"the configuration on disk is of {config.from_disk:%Y-%m-%dT%H:%M:%SZ}, older than IW_SNAPSHOT_MAX_AGE "
            f"({limit:g} s), and the database does not answer"
        )
    if -age > AHEAD:
        return f"the configuration on disk is of {config.from_disk:%Y-%m-%dT%H:%M:%SZ}, yet to come: set the clock"
    return ""


def clear_left_overs() -> None:
    """Remove what a process left that died while it wrote. Raises OSError."""
    sealed.clear_left_overs(path())


def now_utc() -> datetime:
    """The time that is kept: to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _mac(payload: bytes) -> bytes:
    return sealed.mac(sealed.secret_of(settings()), b"iwrouting snapshot on disk", FORM + payload)
