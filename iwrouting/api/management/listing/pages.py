"""A page of decisions: their rows by one statement, and what belongs to them by one each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from iwrouting.api.management.decisions import DecisionItem
from iwrouting.errors import BadRequest
from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.models.patience import OutOfTime, cursor_for
from iwrouting.reports.export.asked import Asked
from iwrouting.reports.export.wide import wide_rows

PATIENCE_S = 10.0
"""For one statement: a page that takes longer is one of a filter without an index over a long time."""

DECISIONS = "rpt_decisions_v1"


@contextmanager
def patiently(asked: Asked) -> Iterator[None]:
    """Statements in here may take PATIENCE_S each. Raises BadRequest."""
    try:
        with cursor_for(PATIENCE_S, asked.hints):
            yield
    except OutOfTime:
        raise BadRequest(
            f"This takes the database longer than {PATIENCE_S:.0f} s: ask for a shorter time with created_at__gte and "
            "created_at__lt, or add a filter by project or alias. manage.py audit_export takes its time.",
            code="takes_too_long",
        ) from None


def items(page: Any, *, attempts: bool) -> Any:
    """Decisions as the list has them, each with its outcome, and with its tries if they are asked for."""
    parts: list[Prefetch[Any]] = [Prefetch("outcomes", _within(Outcome, page))]
    if attempts:
        parts.append(Prefetch("attempts", _within(Attempt, page).order_by("decision_id", "seq")))
    if page:
        prefetch_related_objects(page, *parts)
    return DecisionItem(page, many=True, context={"attempts": attempts}).data


def flat(page: Sequence[Decision]) -> list[Mapping[str, Any]]:
    """Decisions as rpt_decisions_v1 has them, in the page's order."""
    found = {row["decision_id"]: row for row in wide_rows(DECISIONS, page)}
    return [found[str(each.pk)] for each in page]


def _within(model: type[Any], page: Sequence[Decision]) -> QuerySet[Any]:
    """Rows of the page's time: whole months are left unread."""
    times = [each.decision_at for each in page]
    rows: QuerySet[Any] = model.objects.all()
    return rows.filter(decision_at__gte=min(times), decision_at__lte=max(times)) if times else rows
