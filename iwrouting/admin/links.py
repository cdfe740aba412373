"""Addresses outside the admin: the service itself, and its documents."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest

from iwrouting.conf.settings import ROOT

API_DOCS = "/api/docs"
GUIDE = ROOT / "docs"


def service_url(request: HttpRequest) -> str:
    """Where this service answers, as the browser reached it, without a slash at the end."""
    return request.build_absolute_uri("/").rstrip("/")


def guide_pages() -> dict[str, Path]:
    """The documents that come with the service, by name; none where they are not installed."""
    return {page.stem: page for page in sorted(GUIDE.glob("*.md"))}
