"""Files that only who knows IW_SECRET_KEY can have written: a line with the form, one with an HMAC-SHA256, the payload.

They are replaced whole, and only their owner may read them. Blocking: all of this belongs into a thread.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from iwrouting.conf import Settings
from iwrouting.conf.disk import sync_folder
from iwrouting.conf.settings import development_secret_key

LEFT_OVER_S = 600


class Unusable(Exception):
    """The file can't be used; the text says why and names no value of it."""


def secret_of(conf: Settings) -> bytes:
    """What proves that we wrote a file."""
    return (conf.secret_key or development_secret_key()).encode()


def mac(secret: bytes, purpose: bytes, text: bytes) -> bytes:
    """The HMAC of a text under a key made of the secret for this purpose alone, as hexadecimal digits."""
    return hmac.digest(hmac.digest(secret, purpose, "sha256"), text, "sha256").hex().encode()


def sealed(form: bytes, proof: bytes, payload: bytes) -> bytes:
    """The content of a file."""
    return form + proof + b"\n" + payload


def unsealed(content: bytes, form: bytes, prove: Callable[[bytes], bytes]) -> bytes:
    """The payload of a content that begins with its form, proved by what `prove` makes of it. Raises Unusable."""
    proof, newline, payload = content[len(form) :].partition(b"\n")
    if not newline or not hmac.compare_digest(proof, prove(payload)):
        raise Unusable("damaged, forged, or written under another IW_SECRET_KEY")
    return payload


def replace(path: Path, content: bytes, before_rename: Callable[[], None] = lambda: None) -> None:
    """Replace a file, on disk when this returns. Raises OSError: then the former one is there."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two containers that share the folder may have one process id.
    own = folder / f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        _write_new(own, content)
        before_rename()
        own.replace(path)
    except BaseException:
        own.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def clear_left_overs(path: Path) -> None:
    """Remove what a process left that died while it replaced a file. Raises OSError."""
    for left in path.parent.glob(f"{path.name}.*.tmp"):
        try:
            if left.lstat().st_mtime < time.time() - LEFT_OVER_S:
                left.unlink()
        except FileNotFoundError:
            continue


def read(path: Path, most_bytes: int) -> bytes:
    """The content of a file that belongs to us alone. Raises Unusable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Unusable("not there") from None
    except OSError as error:
        raise Unusable(f"unreadable: {error.strerror}") from None
    try:
        _check_file(os.fstat(handle), most_bytes)
        with os.fdopen(os.dup(handle), "rb") as opened:
            return opened.read()
    finally:
        os.close(handle)


def _write_new(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(handle)


def _check_file(found: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unusable("no file")
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Unusable("open to others: it must belong to the user of this process and have the mode 0600")
    if found.st_size > most_bytes:
        raise Unusable(f"larger than {most_bytes} bytes")
