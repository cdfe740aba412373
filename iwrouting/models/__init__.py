"""What the service remembers: the configuration that operators edit, and the audit that nobody edits."""

from __future__ import annotations

from iwrouting.models.aliases import Alias, Override
from iwrouting.models.audit import Attempt, Decision, EnvironmentSnapshot, Outcome
from iwrouting.models.base import ConfigModel, Revision
from iwrouting.models.breakers import BreakerEvent
from iwrouting.models.changing import ChangedBySql, ChangeRequired, OpenChange, change, open_change
from iwrouting.models.held import HeldResponse
from iwrouting.models.history import Change, HistoryRow
from iwrouting.models.keys import ApiKey, NewKey, new_key, well_formed
from iwrouting.models.prices import Price
from iwrouting.models.projects import Project
from iwrouting.models.runs import Run, RunRaise, RunReservation
from iwrouting.models.targets import Model, Upstream
from iwrouting.models.usage import LabelCell, TelemetryMarker, UsageCell, UsageMark, UsageState
from iwrouting.models.writers import Alert, QuarantinedRow, Seal, Writer

__all__ = [
    "Change",
    "ChangeRequired",
    "ChangedBySql",
    "HistoryRow",
    "OpenChange",
    "change",
    "open_change",
    "Alert",
    "QuarantinedRow",
    "Seal",
    "Writer",
    "RunReservation",
    "RunRaise",
    "Run",
    "HeldResponse",
    "BreakerEvent",
    "Alias",
    "ApiKey",
    "Attempt",
    "ConfigModel",
    "Decision",
    "EnvironmentSnapshot",
    "Model",
    "NewKey",
    "Outcome",
    "Override",
    "Price",
    "Project",
    "Revision",
    "Upstream",
    "UsageCell",
    "UsageMark",
    "UsageState",
    "LabelCell",
    "TelemetryMarker",
    "new_key",
    "well_formed",
]
