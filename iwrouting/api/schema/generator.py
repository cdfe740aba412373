"""Makes the OpenAPI document out of both URL maps."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator

from iwrouting.api.schema import lean, parts, responses

DESCRIBED_BY = (lean, parts, responses)
"""These register themselves with the generator when they are imported."""

_lock = Lock()


class Generator(SchemaGenerator):
    """The generator of both URL maps, unless it is told others."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if options.get("patterns") is None and options.get("urlconf") is None:
            maps = (settings.LEAN_URLCONF, settings.ROOT_URLCONF)
            options["patterns"] = [pattern for each in maps for pattern in get_resolver(each).url_patterns]
        super().__init__(*args, **options)  # type: ignore[no-untyped-call] # as it came


@cache
def _make() -> dict[str, Any]:
    document: dict[str, Any] = Generator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def openapi() -> dict[str, Any]:
    """The document. It is the same for everybody, and made once."""
    with _lock:
        return _make()
