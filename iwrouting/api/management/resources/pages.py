"""Plain pages of rows: `page` and `page_size`, with the addresses of their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter

from iwrouting.api.management.resources.filters import number

PAGE_SIZE, MOST = 50, 200
PAGED = frozenset({"page", "page_size"})
PARAMETERS = [
    OpenApiParameter("page", int, description="From 1 on."),
    OpenApiParameter("page_size", int, description=f"Up to {MOST}; {PAGE_SIZE} unless said."),
]


def page_of(rows: QuerySet[Any], path: str, query: Mapping[str, str]) -> tuple[QuerySet[Any], dict[str, Any]]:
    """The rows of the page that a query asks for, and what stands beside them. Raises BadRequest."""
    size = number(query, "page_size", PAGE_SIZE, MOST)
    page = number(query, "page", 1, 999_999_999)
    count = rows.count()
    beside = {
        "count": count,
        "next": address(path, query, page=page + 1) if page * size < count else None,
        "previous": address(path, query, page=page - 1) if page > 1 else None,
    }
    return rows[(page - 1) * size : page * size], beside


def address(path: str, query: Mapping[str, str], **other: Any) -> str:
    """The same list with other parameters: an address on this service, whatever name it is called by."""
    return f"{path}?{urlencode({**query, **other})}"
