"""Break-glass: overrides that are switched off on this host while the database can't be asked.

The file `break-glass` in the folder of the journals names them. `manage.py routing_override disable ID --from-snapshot`
writes it without the database, under the same proof as the configuration on disk, and every process that uses the
folder treats them as `disabled` within about a second (docs/configuration-operations.md). Blocking: all of this belongs
into a thread.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from iwrouting.conf import Settings, settings
from iwrouting.snapshot import sealed
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import Configuration

NAME = "break-glass"
FORM = b"iwrouting break-glass 1\n"
MOST_BYTES = 1_000_000
WARNING = "break_glass"
"""The code of the warning that every decision carries meanwhile: `break_glass: override:12`."""


@dataclass(frozen=True, slots=True)
class Pane:
    """One override that is switched off here. `number` tells this deed from others; `ended_at` None: it holds.

    `ref` is `override:12`, `told` what the override was by the configuration on disk, of `revision`. Names and reasons
    are as typed at the terminal.
    """

    number: str
    ref: str
    told: str
    revision: int
    host: str
    at: datetime
    by: str
    reason: str
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is in force."""
        return self.ended_at is None

    def ended(self, at: datetime, by: str, reason: str) -> Pane:
        """This one, lifted."""
        return replace(self, ended_at=at, ended_by=by, ended_reason=reason)


Panes = tuple[Pane, ...]
_panes = TypeAdapter(Panes)


def path(conf: Settings | None = None) -> Path:
    """Where the file is."""
    return (conf or settings()).journals / NAME


def new_number() -> str:
    """A number for a deed."""
    return secrets.token_hex(8)


def read(conf: Settings | None = None) -> Panes:
    """What was done here and not yet forgotten, in its order; nothing where there is no file. Raises Unusable."""
    file = path(conf)
    if not os.path.lexists(file):
        return ()
    content = sealed.read(file, MOST_BYTES)
    if not content.startswith(FORM):
        raise Unusable("damaged, or of another release: its beginning is not ours")
    try:
        return _panes.validate_json(sealed.unsealed(content, FORM, _mac), strict=True)
    except ValidationError:
        raise Unusable("not what this release keeps") from None


def rewrite(change: Callable[[Panes], Sequence[Pane]]) -> Panes:
    """Let `change` make new ones of those that are there, and store them; what is there then.

    One process of those that share the folder at a time. Raises Unusable, OSError, and what `change` raises.
    """
    with _locked():
        before = read()
        after = tuple(change(before))
        if after == before:
            return before
        if after:
            payload = orjson.dumps(after)
            sealed.replace(path(), sealed.sealed(FORM, _mac(payload), payload))
        else:
            path().unlink(missing_ok=True)
        return after


def without(config: Configuration, refs: Iterable[str]) -> Configuration:
    """A configuration with these overrides disabled, and their refs in `glass`: what serves meanwhile."""
    off = tuple(dict.fromkeys(refs))
    if not off:
        return config
    overrides = {
        place: replace(found, enabled=False) if found.ref in off else found for place, found in config.overrides.items()
    }
    return replace(config, overrides=overrides, glass=off)


def _mac(payload: bytes) -> bytes:
    return sealed.mac(sealed.secret_of(settings()), b"iwrouting break-glass", FORM + payload)


@contextmanager
def _locked() -> Iterator[None]:
    folder = settings().journals
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / f"{NAME}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
