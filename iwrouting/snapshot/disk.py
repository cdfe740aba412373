"""The last accepted configuration as a file, so that a process can start while the database is away (design.md 9.11).

The file is `snapshot` in the folder of the journals: a line with its form, a line with an HMAC-SHA256 under a key made
of IW_SECRET_KEY, and JSON. It is replaced whole, and only its owner may read it. Blocking: all of this belongs into a
thread.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from iwrouting import __version__
from iwrouting.conf import settings
from iwrouting.conf.points import hit
from iwrouting.conf.settings import development_secret_key
from iwrouting.snapshot import stored
from iwrouting.snapshot.assemble import check, check_apart
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import Configuration

NAME = "snapshot"
FORM = b"iwrouting snapshot 1\n"
FORMS = b"iwrouting snapshot "
MOST_BYTES = 256_000_000
LEFT_OVER_S = 600
AHEAD = timedelta(minutes=5)
"""By how much another clock may be ahead of ours."""


class SnapshotUnusable(Exception):
    """The file can't be used; the text says why and names no value of it."""


def path() -> Path:
    """Where it is."""
    return settings().journals / NAME


def write(config: Configuration, confirmed_at: datetime) -> None:
    """Replace the file, on disk when this returns. Raises OSError: then the former one is there."""
    payload = stored.encode(config, __version__, confirmed_at)
    hit("snapshot.before_write")
    folder = settings().journals
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two containers that share the folder may have one process id.
    own = folder / f"{NAME}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        _write_new(own, FORM + _mac(payload) + b"\n" + payload)
        hit("snapshot.before_rename")
        own.replace(path())
    except BaseException:
        own.unlink(missing_ok=True)
        raise
    _sync(folder)
    hit("snapshot.after_rename")


def read() -> Configuration:
    """The kept configuration under this process's environment, checked. Raises SnapshotUnusable or SettingsError."""
    return usable(read_kept())


def read_kept() -> stored.Kept:
    """What the file holds, proved to be ours. Raises SnapshotUnusable."""
    written = _read(path())
    if not written.startswith(FORM):
        form = "of another form: start the release that wrote it, or let this one reach the database once"
        raise SnapshotUnusable(form if written.startswith(FORMS) else "damaged: its beginning is not ours")
    mac, newline, payload = written[len(FORM) :].partition(b"\n")
    if not newline or not hmac.compare_digest(mac, _mac(payload)):
        raise SnapshotUnusable("damaged, forged, or written under another IW_SECRET_KEY")
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
    for left in settings().journals.glob(f"{NAME}.*.tmp"):
        try:
            if left.lstat().st_mtime < time.time() - LEFT_OVER_S:
                left.unlink()
        except FileNotFoundError:
            continue


def now_utc() -> datetime:
    """The time that is kept: to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _mac(payload: bytes) -> bytes:
    secret = (settings().secret_key or development_secret_key()).encode()
    key = hmac.digest(secret, b"iwrouting snapshot on disk", "sha256")
    return hmac.digest(key, FORM + payload, "sha256").hex().encode()


def _write_new(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: Path) -> bytes:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise SnapshotUnusable("not there") from None
    except OSError as error:
        raise SnapshotUnusable(f"unreadable: {error.strerror}") from None
    try:
        _check_file(os.fstat(handle))
        with os.fdopen(os.dup(handle), "rb") as opened:
            return opened.read()
    finally:
        os.close(handle)


def _check_file(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SnapshotUnusable("no file")
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SnapshotUnusable("open to others: it must belong to the user of this process and have the mode 0600")
    if found.st_size > MOST_BYTES:
        raise SnapshotUnusable(f"larger than {MOST_BYTES} bytes")
