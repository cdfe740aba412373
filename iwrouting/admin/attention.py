"""The overview's list of models that are gone or going, each with the pages where that is mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from iwrouting.admin.effective import Effective
from iwrouting.admin.show import admin_url, link
from iwrouting.resolver.lifecycle import Finding, Place

MOST = 12
"""Models in the list, and places of one of them: the menu beneath is to stay in sight."""


def lifecycle_list() -> dict[str, Any]:
    """A line for each dated model that something names, the longest dead first, and how many more there are."""
    found: dict[str, list[Finding]] = {}
    for finding in Effective().findings:
        if finding.days is not None:
            found.setdefault(finding.place.model, []).append(finding)
    lines = [_line(findings) for findings in list(found.values())[:MOST]]
    return {"lifecycle": lines, "lifecycle_more": max(len(found) - MOST, 0)}


def _line(findings: Sequence[Finding]) -> SafeString:
    first = findings[0]
    days = first.days or 0
    when = "gone since" if days <= 0 else f"gone in {days} days," if days > 1 else "gone tomorrow,"
    instead = f", replacement {first.replacement}" if first.replacement else ""
    places = format_html_join(", ", "{}", ((_page(each.place),) for each in findings[:MOST]))
    more = f" and {len(findings) - MOST} more" if len(findings) > MOST else ""
    head = f"{first.place.model}, {when} {first.shutdown_date}{instead}: "
    return format_html("{}{}{}", head, places, more)


def _page(place: Place) -> SafeString:
    words = place.alias if place.kind == "default" else f"{place.alias} ({place.label})"
    if place.kind == "override":
        return link(admin_url("override", "change", place.ref.removeprefix("override:")), words)
    return link(f"{admin_url('alias', 'changelist')}?{urlencode({'q': place.alias})}", words)
