"""Three ledgers of the same calls against each other: a client's log, the provider's, and our own rows."""

from __future__ import annotations

from iwrouting.reports.reconcile.columns import client_lines, moment, provider_lines
from iwrouting.reports.reconcile.days import TOTAL, Day
from iwrouting.reports.reconcile.exports import UsageFile
from iwrouting.reports.reconcile.files import BadFile, BadLine, Source
from iwrouting.reports.reconcile.findings import FINDINGS, NOTES, Finding
from iwrouting.reports.reconcile.lines import ClientLine, ProviderLine
from iwrouting.reports.reconcile.ours import Span
from iwrouting.reports.reconcile.reasons import MEANINGS
from iwrouting.reports.reconcile.run import Ledgers, Report, Wanted, compare, reconcile
from iwrouting.reports.reconcile.sums import Compared, Export, Sum, Used

__all__ = [
    "FINDINGS",
    "NOTES",
    "BadFile",
    "BadLine",
    "ClientLine",
    "Compared",
    "Day",
    "Export",
    "Finding",
    "Ledgers",
    "MEANINGS",
    "ProviderLine",
    "Report",
    "Source",
    "Span",
    "Sum",
    "TOTAL",
    "UsageFile",
    "Used",
    "Wanted",
    "client_lines",
    "compare",
    "moment",
    "provider_lines",
    "reconcile",
]
