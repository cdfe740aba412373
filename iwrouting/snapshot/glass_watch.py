"""Looks at the break-glass file each second, in a thread of its own: a database that hangs must not delay it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from iwrouting.conf.redact import redact
from iwrouting.snapshot import glass
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import Configuration

log = logging.getLogger(__name__)
LOOK_S = 1.0

Mark = tuple[int, int, int] | None


class GlassWatch:
    """`refs` are the overrides that are switched off here. `fault` says why the file is not believed, or is empty:
    what was read of it before goes on holding."""

    def __init__(self) -> None:
        self.refs: tuple[str, ...] = ()
        self.fault = ""
        self._mark: Mark = None
        self._panes: glass.Panes = ()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, changed: Callable[[], None]) -> None:
        """Look now and from then on; `changed` is called, in the thread, whenever `refs` did."""
        self.look()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(changed,), name="iw-glass", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def applied(self, config: Configuration) -> Configuration:
        """The configuration as it serves here."""
        return glass.without(config, self.refs)

    def look(self) -> bool:
        """Read the file where it is another one now; whether `refs` changed."""
        try:
            mark = _mark()
            if mark == self._mark and not self.fault:
                return False
            panes = glass.read()
        except (Unusable, OSError) as error:
            self._refused(error)
            return False
        before, self._mark, self.fault = self.refs, mark, ""
        self.refs = tuple(sorted({each.ref for each in panes if each.holds}))
        self._tell(panes)
        return self.refs != before

    def _run(self, changed: Callable[[], None]) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                if self.look():
                    changed()
            except Exception as error:
                # Whatever it is: the next look may succeed, and nobody else looks.
                self._refused(error)

    def _refused(self, error: Exception) -> None:
        why = str(error) if isinstance(error, Unusable) else f"unreadable: {type(error).__name__}"
        fault = f"the break-glass file is {why}"
        if fault != self.fault:
            log.error("%s; it is ignored, and what held before goes on holding", fault)
        self.fault = fault

    def _tell(self, panes: glass.Panes) -> None:
        known = {each.number for each in self._panes if each.holds}
        holding = {each.number: each for each in panes if each.holds}
        for pane in holding.values():
            if pane.number not in known:
                log.warning(
                    "BREAK-GLASS: %s (%s) is switched off on this host since %s by %s: %s",
                    pane.ref,
                    pane.told,
                    f"{pane.at:%Y-%m-%dT%H:%M:%SZ}",
                    pane.by,
                    redact(pane.reason),
                )
        for pane in self._panes:
            if pane.holds and pane.number not in holding:
                log.warning("BREAK-GLASS ended: %s (%s) is as the configuration has it again", pane.ref, pane.told)
        self._panes = panes


def _mark() -> Mark:
    try:
        found = os.lstat(glass.path())
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
