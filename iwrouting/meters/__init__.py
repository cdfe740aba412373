"""Metrics of calls, counted in memory that the workers of one `serve` share (docs/metrics.md)."""

from __future__ import annotations

from iwrouting.meters import names
from iwrouting.meters.board import Board, make
from iwrouting.meters.meters import Meters, mine, use
from iwrouting.meters.metric import Metric

__all__ = ["Board", "Meters", "Metric", "make", "mine", "names", "use"]
