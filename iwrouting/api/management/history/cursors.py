"""Pages of the change list by cursor: stable while new lines come, without a total (ux.md 3, Lists)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter

from iwrouting.api.management.resources.filters import number
from iwrouting.api.management.resources.pages import MOST, PAGE_SIZE, address
from iwrouting.errors import BadRequest

OLDER, NEWER = "older", "newer"
PAGED = frozenset({"cursor", "page_size"})
PARAMETERS = [
    OpenApiParameter("cursor", str, description="Where to go on: out of next or previous."),
    OpenApiParameter("page_size", int, description=f"Up to {MOST}; {PAGE_SIZE} unless said."),
]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two lines, and the way to go from it."""

    way: str
    at: datetime
    pk: int

    def text(self) -> str:
        """As the address has it."""
        return base64.urlsafe_b64encode(f"{self.way}|{self.at.isoformat()}|{self.pk}".encode()).decode()

    @classmethod
    def read(cls, text: str) -> Cursor:
        """A cursor of ours. Raises BadRequest."""
        try:
            way, at, pk = base64.urlsafe_b64decode(text.encode()).decode().split("|")
            found = cls(way, datetime.fromisoformat(at), int(pk))
        except (ValueError, binascii.Error, UnicodeError):
            found = None
        if found is None or found.way not in (OLDER, NEWER) or found.at.tzinfo is None or abs(found.pk) >= 2**63:
            raise BadRequest("cursor: is none of ours; take it from next or previous.", param="cursor")
        return found

    @property
    def beyond(self) -> Q:
        """The lines on its way."""
        if self.way == OLDER:
            return Q(at__lt=self.at) | Q(at=self.at, pk__lt=self.pk)
        return Q(at__gt=self.at) | Q(at=self.at, pk__gt=self.pk)


def cursor_page(rows: QuerySet[Any], path: str, query: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """The lines of the page that a query asks for, newest first, and what stands beside them. Raises BadRequest."""
    size = number(query, "page_size", PAGE_SIZE, MOST)
    cursor = Cursor.read(query["cursor"]) if "cursor" in query else None
    back = cursor is not None and cursor.way == NEWER
    rows = rows.filter(cursor.beyond) if cursor else rows
    found = list(rows.order_by(*(("at", "pk") if back else ("-at", "-pk")))[: size + 1])
    more, page = len(found) > size, found[:size]
    if back:
        page.reverse()
    older = (more or back) and bool(page)
    newer = (more if back else cursor is not None) and bool(page)
    return page, {
        "next": address(path, query, cursor=Cursor(OLDER, page[-1].at, page[-1].pk).text()) if older else None,
        "previous": address(path, query, cursor=Cursor(NEWER, page[0].at, page[0].pk).text()) if newer else None,
    }
