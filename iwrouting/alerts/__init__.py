"""Telling people what needs them: rules over the audit and its keeping, told by mail and webhook, recorded in `Alert`.

`look` is one round: every worker does one each minute, and so does `manage.py maintain`. docs/alerts.md.
"""

from __future__ import annotations

from iwrouting.alerts.findings import Finding
from iwrouting.alerts.rounds import look
from iwrouting.alerts.rules import standing_findings
from iwrouting.alerts.state import Standing, open_alerts
from iwrouting.alerts.telling import Channel, Notice, NotTold, channels

__all__ = [
    "Channel",
    "Finding",
    "Notice",
    "NotTold",
    "Standing",
    "channels",
    "look",
    "open_alerts",
    "standing_findings",
]
