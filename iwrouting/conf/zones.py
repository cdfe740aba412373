"""Time zones by their IANA names."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

ZONE_FAULT = "must be an IANA zone that this host knows, such as UTC or Europe/Berlin"


def zone_of(name: str) -> tzinfo:
    """The zone of that name; UTC on every host. Raises ValueError for one that this host does not know."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(ZONE_FAULT) from None
