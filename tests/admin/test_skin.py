"""The skin is on every page, the one of Django's own too; the header tells where one is."""

from __future__ import annotations

import pytest
from django.test import Client

from iwrouting.admin import site, upstreams
from iwrouting.types import UpstreamFacts
from tests.admin.html import read

SHEET = "/static/iwrouting/admin.css"


@pytest.mark.parametrize("url", ["/admin/", "/admin/iwrouting/alias/", "/admin/password_change/", "/admin/auth/user/"])
def test_every_page_has_the_style_sheet(boss: Client, url: str) -> None:
    assert SHEET in read(boss.get(url)).values("link", "href")


def test_the_login_page_has_it_too(client: Client, db: None) -> None:
    page = read(client.get("/admin/login/"))
    assert SHEET in page.values("link", "href")
    assert page.faults == []


def test_the_header_links_to_the_documents_and_names_the_environment(boss: Client) -> None:
    page = read(boss.get("/admin/iwrouting/alias/"))
    assert {"/api/docs", "/admin/guide/"} <= set(page.values("a", "href"))
    assert "iwrouting development" in page.text


@pytest.mark.parametrize(("slug", "said"), [("sandbox", True), ("environment", False)])
def test_the_header_says_when_no_real_provider_is_called(
    boss: Client, monkeypatch: pytest.MonkeyPatch, slug: str, said: bool
) -> None:
    facts = UpstreamFacts(slug=slug, base_url="http://127.0.0.1:9/v1", secret_ref="env:OPENAI_API_KEY", trusted=True)
    for module in (site, upstreams):
        monkeypatch.setattr(module, "environment_facts", lambda: facts)
    assert ("sandbox: no real provider is called" in read(boss.get("/admin/")).text) is said


def test_the_menu_stands_in_sections(boss: Client) -> None:
    text = read(boss.get("/admin/")).text
    places = [text.index(title) for title in ("Audit", "Routing", "Targets", "Access")]
    assert places == sorted(places)


def test_filters_stand_above_the_list_as_closed_chips(boss: Client) -> None:
    page = read(boss.get("/admin/iwrouting/override/"))
    chips = [named for tag, named in page.tags if tag == "details"]
    assert len(chips) >= 3
    assert {chip.get("name") for chip in chips} == {"iw-filter"}
    assert not any("open" in chip or "data-filter-title" in chip for chip in chips)
