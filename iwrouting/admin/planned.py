"""A plan on a page: what it would do, who may do it, and doing exactly that, all or nothing, with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from iwrouting.admin.attempts import WHAT_IF, Attempt, Held, reason_context
from iwrouting.admin.base import missing
from iwrouting.admin.differences import WORDS, planned_row
from iwrouting.admin.whatif import may_see, shown_of
from iwrouting.models import OpenChange
from iwrouting.planning import Plan, StalePlan, apply_plan
from iwrouting.planning.keeping import Kept
from iwrouting.planning.whatif import DAYS
from iwrouting.types import Operation, Via

MOST_ROWS = 200
RIGHTS = {Operation.CREATE: "add", Operation.CHANGE: "change", Operation.DELETE: "delete"}
BUTTON = "apply"
SUPERUSERS = "This changes upstreams, which only superusers do: an upstream gets calls, and a secret of ours."


@dataclass(frozen=True)
class Planned:
    """A plan for a page. `stops`: what stops it whatever is said; `kept`: what stays although it was to change.

    `note` adds to the change before it is made; `place` makes a fault's words those of where the plan comes from.
    """

    plan: Plan
    kept: Sequence[Kept] = ()
    stops: Sequence[str] = ()
    via: Via = Via.ADMIN
    details: dict[str, Any] = field(default_factory=dict)
    place: Callable[[str], str] = str

    def lacks(self, request: HttpRequest) -> list[str]:
        """Which of the permissions that its rows need this person has not, a sentence each."""
        needed = {f"iwrouting.{RIGHTS[row.operation]}_{WORDS[row.object_type]}" for row in self.plan.changes}
        found = [missing(each) for each in sorted(needed) if not request.user.has_perm(each)]
        if not request.user.is_superuser and any(row.object_type == "upstream" for row in self.plan.changes):
            found.append(SUPERUSERS)
        return found


def carry_out(request: HttpRequest, planned: Planned) -> tuple[int | None, dict[str, Any]]:
    """The revision that the plan became, where its button was pressed; else None, and what the page shows.

    Until then it is tried and taken back. Raises PermissionDenied for a press by somebody who may not.
    """
    lacks = planned.lacks(request)
    if BUTTON in request.POST and lacks:
        raise PermissionDenied(lacks[0])
    attempt = Attempt(request)
    attempt.is_preview = attempt.is_preview or BUTTON not in request.POST
    revision = attempt.run(lambda made: _apply(request, planned, attempt, made))
    if revision is not None:
        return revision, {}
    return None, _context(request, planned, attempt, lacks)


def _apply(request: HttpRequest, planned: Planned, attempt: Attempt, made: OpenChange) -> int | None:
    if BUTTON in request.POST and request.POST.get("plan") != planned.plan.digest:
        attempt.problems.append(_stale(request.POST.get("seen_revision", ""), planned.plan.base))
        attempt.seen = planned.plan.base
        raise Held
    if planned.stops:
        raise ValidationError(list(planned.stops))
    made.via = planned.via
    made.details |= planned.details
    try:
        apply_plan(planned.plan, made)
    except StalePlan as error:
        attempt.problems.append(str(error))
        raise Held from None
    return made.revision


def _stale(seen: str, base: int) -> str:
    if seen == str(base):
        return "The plan is not the one that was shown. Look at it again."
    return f"Config changed since this plan (revision {seen[:20]} -> {base}). This is the plan as it is now."


def _context(request: HttpRequest, planned: Planned, attempt: Attempt, lacks: list[str]) -> dict[str, Any]:
    plan = planned.plan
    found = shown_of(attempt) if WHAT_IF in request.POST and may_see(request) else None
    if attempt.effect is not None:
        attempt.effect = replace(attempt.effect, values=[])  # the rows of the plan tell them
    told = [planned.place(line) for line in attempt.told_errors()]
    counts = {word: sum(row.operation is word for row in plan.rows) for word in Operation}
    return {
        **reason_context(attempt, plan.base, is_sent="plan" in request.POST),
        "plan": plan.digest,
        "problems": [*attempt.problems, *dict.fromkeys(told)],
        "counts": ", ".join(f"{count:,} {word}" for word, count in counts.items()),
        "rows": [planned_row(request.user, row) for row in plan.changes[:MOST_ROWS]],
        "more": max(0, len(plan.changes) - MOST_ROWS),
        "kept": [each.told() for each in planned.kept],
        "lacks": lacks,
        "what_if": found,
        "what_if_days": DAYS,
        "can_what_if": may_see(request),
        "may_apply": bool(plan.changes) and not lacks and not planned.stops,
    }
