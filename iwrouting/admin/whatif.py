"""The box "What would it have done?" on a form: what is typed, run against the calls of the last days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.attempts import WHAT_IF, Attempt
from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.show import NOTHING, admin_url, badge, dollars, lines, link, number
from iwrouting.admin.typed import M
from iwrouting.models import OpenChange
from iwrouting.planning.whatif import DAYS, TooLong, WhatIf, what_if
from iwrouting.planning.whatif.result import Conflict, Line, Money
from iwrouting.types import Configuration

T = TypeVar("T")
FOUND = "iw_what_if"
PATIENCE_S = 15.0
MOST_LINES = 20
COLUMNS = ("Calls", "Changed", "Cost before", "Cost after", "Difference")
TOO_LONG = (
    f"The calls of {DAYS} days are more than can be read in {PATIENCE_S:.0f} seconds here. manage.py routing_whatif "
    "takes its time."
)
NOTHING_TYPED = "What stands in the form changes nothing, or can't be saved as it is: see what is said of it."


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their headings, as table.html shows them."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the box says: a sentence, or why there is none; tables; what was assumed."""

    sentence: str
    tables: list[Table] = field(default_factory=list)
    assumed: tuple[str, ...] = ()


class WhatIfAdmin(ConfigAdmin[M]):
    """Forms that can tell what they would have done, to those who may see decisions."""

    def attempt(self, request: HttpRequest, act: Callable[[Attempt, OpenChange], T]) -> tuple[Attempt, T | None]:
        """The try, and after it, outside of its transaction, what it would have done."""
        attempt, answer = super().attempt(request, act)
        if WHAT_IF in request.POST and may_see(request):
            vars(request)[FOUND] = shown_of(attempt)
        return attempt, answer

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        """With the box, and its button."""
        context |= {"can_what_if": may_see(request), "what_if": vars(request).get(FOUND), "what_if_days": DAYS}
        return super().render_change_form(request, context, add, change, form_url, obj)


def may_see(request: HttpRequest) -> bool:
    """Whether this person may see what calls were made and what they cost."""
    return request.user.has_perm("iwrouting.view_decision")


def shown_of(attempt: Attempt) -> Shown:
    """What the box says of a try."""
    if attempt.before is None or attempt.after is None or attempt.effect is None:
        return Shown(NOTHING_TYPED)
    return run(attempt.before, attempt.after)


def run(before: Configuration, after: Configuration) -> Shown:
    """What the box says of two configurations."""
    end = timezone.now()
    try:
        found = what_if(before, after, end - timedelta(days=DAYS), end, until=time.monotonic() + PATIENCE_S)
    except TooLong:
        return Shown(TOO_LONG)
    return Shown(_sentence(found), list(_tables(found)), found.assumed)


def _sentence(found: WhatIf) -> str:
    total = found.total
    if not total.changed:
        return f"None of the {number(total.calls)} calls of the last {DAYS} days would have changed model."
    return (
        f"{number(total.changed)} of the {number(total.calls)} calls of the last {DAYS} days would have changed model. "
        f"Over the {number(total.compared)} of them whose cost is known on both sides, the difference is "
        f"{_signed(total.difference_pico)}."
    )


def _tables(found: WhatIf) -> Iterator[Table]:
    if not found.total.changed and not found.conflicts:
        return
    yield Table("By model", ("Before", "After", *COLUMNS), [
        (_model(old), _model(new), *_cells(line)) for (old, new), line in _first(found.by_model)
    ])  # fmt: skip
    yield Table("By alias", ("Alias", *COLUMNS), [
        (name or "a model by its id", *_cells(line)) for name, line in _first(found.by_alias)
    ])  # fmt: skip
    yield Table("By project", ("Project", *COLUMNS), [
        (name or NOTHING, *_cells(line)) for name, line in _first(found.by_project)
    ])  # fmt: skip
    yield Table(
        "Conflicts", ("What", "Model", "Calls", "Meaning", "Newest"), [_conflict(each) for each in found.conflicts],
        "None that the records know of.",
    )  # fmt: skip
    if found.unpriced:
        rows: list[tuple[object, ...]] = [(each.model, number(each.calls), each.told) for each in found.unpriced]
        yield Table("Not priced after it", ("Model", "Calls", "Why"), rows)


def _first(lines_by: Mapping[Any, Line]) -> list[tuple[Any, Line]]:
    return list(lines_by.items())[:MOST_LINES]


def _cells(line: Line) -> tuple[object, ...]:
    costs = (_cost(line.before), _cost(line.after), _signed(line.difference_pico))
    return (number(line.calls), number(line.changed), *costs)


def _conflict(found: Conflict) -> tuple[object, ...]:
    newest = lines(link(admin_url("decision", "change", ident), ident) for ident in found.examples)
    return badge(found.kind, "warn"), found.model or NOTHING, number(found.calls), found.told, newest


def _cost(money: Money) -> SafeString | str:
    """A cost with what is not in it (G7)."""
    apart = (("estimated", money.estimated), ("not priced", money.unpriced), ("not sent", money.none))
    told = [f"{number(count)} {name}" for name, count in apart if count]
    if not told:
        return dollars(money.cost_pico)
    return format_html('{} <span class="iw-quiet">{}</span>', dollars(money.cost_pico), ", ".join(told))


def _signed(pico: int) -> str:
    return f"{'-' if pico < 0 else '+'}{dollars(abs(pico))}"


def _model(name: str) -> SafeString:
    return format_html('<span class="iw-model">{}</span>', name) if name else badge("refused", "bad")
