"""Changes of the configuration before they are made: what they would change, whether they can be, and making them."""

from __future__ import annotations

from iwrouting.planning.applying import Rehearsal, apply_plan, rehearse
from iwrouting.planning.plan import Plan, PlannedRow, StalePlan, Wanted, plan_between, plan_now, plan_wanted
from iwrouting.planning.refused import ChangeRefused

__all__ = [
    "ChangeRefused",
    "Plan",
    "PlannedRow",
    "Rehearsal",
    "StalePlan",
    "Wanted",
    "apply_plan",
    "plan_between",
    "plan_now",
    "plan_wanted",
    "rehearse",
]
