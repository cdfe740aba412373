"""Pages of long lists by cursor: stable while new lines come, without a total unless asked (ux.md 3, Lists).

A list is ordered by a time and, among equal times, by its key; an index on the time serves every page, however deep.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from iwrouting.api.management.resources.filters import number
from iwrouting.api.management.resources.pages import MOST, PAGE_SIZE, address
from iwrouting.errors import BadRequest

OLDER, NEWER = "older", "newer"
ESTIMATE = "estimate"
MOST_COUNTED = 10_000
PAGED = frozenset({"cursor", "page_size", "count"})
PARAMETERS = [
    OpenApiParameter("cursor", str, description="Where to go on: out of next or previous."),
    OpenApiParameter("page_size", int, description=f"Up to {MOST}; {PAGE_SIZE} unless said."),
    OpenApiParameter(
        "count",
        str,
        enum=[ESTIMATE],
        description=f"`estimate`: say how many there are, exact up to {MOST_COUNTED:,} and estimated beyond.",
    ),
]


def _whole(text: str) -> int:
    found = int(text)
    if abs(found) >= 2**63:
        raise ValueError
    return found


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by: the column of its time, and how the text of a key is read."""

    time: str
    key: Callable[[str], Any]

    def way(self, *, up: bool) -> tuple[str, str]:
        """For `order_by`: the oldest first, or the newest."""
        return (self.time, "pk") if up else (f"-{self.time}", "-pk")


BY_NUMBER = Order("at", _whole)
BY_DECISION = Order("decision_at", UUID)


class CursorPage(serializers.Serializer[Any]):
    """What stands beside the results of a page."""

    next = serializers.CharField(allow_null=True, help_text="Address of the older ones.")
    previous = serializers.CharField(allow_null=True, help_text="Address of the newer ones.")
    page_size = serializers.IntegerField()
    count = serializers.IntegerField(required=False, help_text="With `count=estimate`: how many there are.")
    count_is_exact = serializers.BooleanField(required=False, help_text="Whether they were all counted.")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two lines, and the way to go from it."""

    way: str
    at: datetime
    pk: Any

    def text(self) -> str:
        """As the address has it."""
        return base64.urlsafe_b64encode(f"{self.way}|{self.at.isoformat()}|{self.pk}".encode()).decode()

    @classmethod
    def read(cls, text: str, order: Order) -> Cursor:
        """A cursor of ours. Raises BadRequest."""
        try:
            way, at, pk = base64.urlsafe_b64decode(text.encode()).decode().split("|")
            found = cls(way, _moment(at), order.key(pk))
        except (ValueError, OverflowError, binascii.Error, UnicodeError):
            found = None
        if found is None or found.way not in (OLDER, NEWER):
            raise BadRequest("cursor: is none of ours; take it from next or previous.", param="cursor")
        return found

    def beyond(self, order: Order) -> Q:
        """The lines on its way. The time is bounded on its own, so that an index of it leads here at once."""
        name, side = order.time, "lt" if self.way == OLDER else "gt"
        after = Q(**{f"{name}__{side}": self.at}) | Q(**{f"pk__{side}": self.pk})
        return Q(**{f"{name}__{side}e": self.at}) & after


def cursor_page(
    rows: QuerySet[Any], path: str, query: Mapping[str, str], order: Order = BY_NUMBER
) -> tuple[list[Any], dict[str, Any]]:
    """The lines of the page that a query asks for, newest first, and what stands beside them. Raises BadRequest."""
    size = number(query, "page_size", PAGE_SIZE, MOST)
    counted = _count(rows, query, order)
    cursor = Cursor.read(query["cursor"], order) if "cursor" in query else None
    back = cursor is not None and cursor.way == NEWER
    rows = rows.filter(cursor.beyond(order)) if cursor else rows
    found = list(rows.order_by(*order.way(up=back))[: size + 1])
    more, page = len(found) > size, found[:size]
    if back:
        page.reverse()
    older = (more or back) and bool(page)
    newer = (more if back else cursor is not None) and bool(page)

    asked = {name: value for name, value in query.items() if name != "count"}

    def place(way: str, row: Any) -> str:
        return address(path, asked, cursor=Cursor(way, getattr(row, order.time), row.pk).text())

    return page, {
        "next": place(OLDER, page[-1]) if older else None,
        "previous": place(NEWER, page[0]) if newer else None,
        "page_size": size,
        **counted,
    }


def _count(rows: QuerySet[Any], query: Mapping[str, str], order: Order) -> dict[str, Any]:
    """How many there are, where it is asked for. Raises BadRequest.

    Beyond MOST_COUNTED the newest of them tell how long so many take, and the others are taken to be as dense.
    """
    if "count" not in query:
        return {}
    if query["count"] != ESTIMATE:
        raise BadRequest(f"count: must be {ESTIMATE}, and may be left out.", param="count")
    times = rows.order_by(*order.way(up=False)).values_list(order.time, flat=True)
    counted = times[: MOST_COUNTED + 1].count()
    if counted <= MOST_COUNTED:
        return {"count": counted, "count_is_exact": True}
    newest, last = times[0], times[MOST_COUNTED]
    oldest = rows.order_by(*order.way(up=True)).values_list(order.time, flat=True)[0]
    span = (newest - last).total_seconds()
    whole = (newest - oldest).total_seconds() / span if span else 1.0
    return {"count": max(counted, round(MOST_COUNTED * whole)), "count_is_exact": False}
