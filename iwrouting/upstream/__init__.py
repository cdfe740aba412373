"""Talking to a provider: HTTP, parameter rules, SSE frames, usage, and what its failures mean."""

from __future__ import annotations

from iwrouting.upstream.client import Reply, Upstreams
from iwrouting.upstream.failures import Failure, classify, transport_failure
from iwrouting.upstream.params import adapt
from iwrouting.upstream.scanner import Scanner
from iwrouting.upstream.sse import FrameSplitter, StreamScanner
from iwrouting.upstream.usage import read_usage

__all__ = [
    "Failure",
    "FrameSplitter",
    "Reply",
    "Scanner",
    "StreamScanner",
    "Upstreams",
    "adapt",
    "classify",
    "read_usage",
    "transport_failure",
]
