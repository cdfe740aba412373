"""The overview's list of models that are gone or going, each with the page where that is mended."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from iwrouting.admin.effective import Effective
from iwrouting.admin.show import admin_url, link
from iwrouting.resolver.lifecycle import Finding, Place

MOST = 20


def lifecycle_list() -> dict[str, Any]:
    """The dated findings as lines, the longest dead first, and how many more there are."""
    found = [finding for finding in Effective().findings if finding.days is not None]
    return {"lifecycle": [_line(finding) for finding in found[:MOST]], "lifecycle_more": max(len(found) - MOST, 0)}


def _line(finding: Finding) -> SafeString:
    days = finding.days or 0
    when = "gone" if days <= 0 else f"in {days} days" if days > 1 else "tomorrow"
    instead = f", replacement {finding.replacement}" if finding.replacement else ""
    place = link(_page(finding.place), finding.place.told())
    return format_html("{}: {}, {} ({}{})", place, finding.place.model, when, finding.shutdown_date, instead)


def _page(place: Place) -> str:
    if place.kind == "override":
        return admin_url("override", "change", place.ref.removeprefix("override:"))
    return f"{admin_url('alias', 'changelist')}?{urlencode({'q': place.alias})}"
