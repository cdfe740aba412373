"""`/metrics`: how this process and its siblings stand, in Prometheus' text format (docs/health.md)."""

from __future__ import annotations

from iwrouting.api.metrics.scraping import Scrape, families
from iwrouting.api.metrics.text import CONTENT_TYPE, Family, render

__all__ = ["CONTENT_TYPE", "Family", "Scrape", "families", "render"]
