"""Walks the rungs of a chain: sends, retries, goes on or stops, and records every try. Decides nothing of its own."""

from __future__ import annotations

from iwrouting.dispatch.batches import Batch, send_batches
from iwrouting.dispatch.breaker import Limits
from iwrouting.dispatch.breakers import Breakers, Transition
from iwrouting.dispatch.buffered import Served, send_buffered
from iwrouting.dispatch.job import Dispatcher, Job
from iwrouting.dispatch.streamed import OpenStream, open_stream

__all__ = [
    "Batch",
    "Breakers",
    "Dispatcher",
    "Job",
    "Limits",
    "OpenStream",
    "Served",
    "Transition",
    "open_stream",
    "send_batches",
    "send_buffered",
]
