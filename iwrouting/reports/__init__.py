"""SQL reporting: the versioned views on both databases, kept in step with the tables by Django's migrate signals."""

from __future__ import annotations

from iwrouting.reports.steps import connect_views
from iwrouting.reports.views import REPORTS, VIEWS

__all__ = ["REPORTS", "VIEWS", "connect_views"]
