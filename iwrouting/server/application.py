"""The ASGI application of one worker: lifespan, lean routes, and stock Django for the rest."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

from iwrouting.api.metrics.view import SERVICE
from iwrouting.calls import Service
from iwrouting.calls.limits import has_limits
from iwrouting.calls.transitions import make_breakers
from iwrouting.conf import points, settings
from iwrouting.conf.sqlite import need_file
from iwrouting.dispatch import Dispatcher
from iwrouting.meters import mine
from iwrouting.server.auditing import make_writer
from iwrouting.server.jobs import jobs, lines, sums, watch
from iwrouting.server.lean import LeanHandler, Receive, Scope, Send
from iwrouting.server.stock import StockHandler
from iwrouting.server.sweeping import sweeper_of
from iwrouting.server.upkeep import Upkeep
from iwrouting.snapshot import store
from iwrouting.tokens import TokenizersMissing, warm
from iwrouting.upstream import Upstreams

log = logging.getLogger(__name__)

LAST_WORDS_S = 2.0
LEAN_PATHS = frozenset({"/api/v1/resolve", "/healthz", "/readyz"})


class Application:
    """Dispatches by path; starts and stops what a worker owns."""

    def __init__(self) -> None:
        self._stock = StockHandler(settings().max_body_mb)
        self._lean: LeanHandler | None = None
        self._upkeep: tuple[Upkeep, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cut_at = 0.0
        self.service: Service | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            path = scope["path"]
            if self._lean is not None and is_lean(path):
                await self._lean(scope, receive, send)
            else:
                scope[SERVICE] = self.service
                await self._stock(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Load the snapshot, open the writer and the upstream sessions."""
        conf = settings()
        points.arm(points.read_plan(conf.fault_points))
        self._loop = asyncio.get_running_loop()
        need_file()
        await asyncio.to_thread(store.start)
        writer = make_writer(conf, store)
        writer.start()
        upstreams = Upstreams(min_bytes_per_s=conf.min_stream_bytes_per_s, window_s=conf.min_stream_window_s)
        meters = mine()
        dispatcher = Dispatcher(upstreams, conf, make_breakers(conf, writer, meters, is_configured))
        self.service = Service(store, writer, dispatcher, conf, meters=meters)
        self._lean = LeanHandler(self.service)
        own = jobs(sweeper_of(writer).sweep), lines(), sums(), watch()
        self._upkeep = tuple(Upkeep(each) for each in own)
        for upkeep in self._upkeep:
            upkeep.start()
        settle_memory()
        if has_limits(store.current, conf):
            # Readiness does not wait for it: a request that counts before it is done waits in a thread.
            threading.Thread(target=warm_tokenizers, name="iw-tokenizers", daemon=True).start()

    def drain(self, *, now: bool = False) -> None:
        """Say that we are leaving: not ready any more, and in IW_DRAIN_S, or `now`, what is still open is ended.

        It may be called in a signal's handler.
        """
        if self.service is not None and self._loop is not None:
            self.service.draining = True
            self._loop.call_soon_threadsafe(self._cut_in, 0.0 if now else self.service.conf.drain_s)

    def _cut_in(self, seconds: float) -> None:
        if self.service is not None and self._loop is not None:
            at = self._loop.time() + seconds
            # A second signal makes it no later.
            self._cut_at = min(at, self._cut_at or at)
            self._loop.call_at(at, self.service.cut)

    async def stop(self) -> None:
        """Store what is still queued, then close everything."""
        if self.service is None:
            return
        await self._idle(self.service, self._cut_at)
        self.service.cut()
        await self._idle(self.service, asyncio.get_running_loop().time() + LAST_WORDS_S)
        await asyncio.gather(*(asyncio.to_thread(upkeep.stop) for upkeep in self._upkeep))
        await self.service.writer.stop()
        await self.service.dispatcher.upstreams.close()
        self.service.held.close()
        self.service.past.close()
        store.stop()

    async def _idle(self, service: Service, until: float) -> None:
        """Return when no call is open, or at a moment of the loop's clock: calls that end alone are no connections."""
        while not service.is_idle and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - an event would cost every call
            await asyncio.sleep(0.01)


def is_configured(model: str) -> bool:
    """Whether a model is one of the configuration's now."""
    return model in store.current.models


def is_lean(path: str) -> bool:
    """Whether a path is one of the lean routes (design.md 9.2)."""
    return path.startswith("/v1/") or path in LEAN_PATHS


def warm_tokenizers() -> None:
    """Load the usual encoding, so that no request waits for it. It takes 75 MB, hence only where calls are counted."""
    try:
        warm()
    except TokenizersMissing as error:
        log.error("%s", error)


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's sight (performance.md 2: a quarter more throughput)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
