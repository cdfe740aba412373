"""Every page opens, explains its fields, and needs nothing that a strict content security policy blocks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.test import Client, RequestFactory

from iwrouting.admin.site import PAGES
from iwrouting.models import EnvironmentSnapshot, Override, Upstream
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import read
from tests.alerts import cast as keeping

LISTS = [page._meta.model_name for page in PAGES]
FORMS = ["alias", "override", "project", "model", "upstream", "apikey", "price"]
OTHERS = ["auth/user", "auth/group", "axes/accessattempt", "axes/accesslog", "axes/accessfailurelog"]


@pytest.fixture
def rows(db: None) -> dict[str, Any]:
    """A row of every model, hostile where text is free."""
    atlas = cast.project("borea", name=cast.HOSTILE, owner=cast.HOSTILE)
    fast = cast.alias(purpose=cast.HOSTILE, chain=["gpt-4.1"])
    made = cast.fallen_back()
    EnvironmentSnapshot.objects.create(
        id="e3b0c44298fc1c14", first_seen_at=made.decision_at, values='{"OPENAI_MODEL_CODE": "<script>"}'
    )
    return {
        "project": atlas,
        "alias": fast,
        "model": cast.model(source=cast.HOSTILE),
        "price": cast.price(source=cast.HOSTILE),
        "upstream": Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1"),
        "override": Override.objects.create(alias=fast, project=atlas, model="gpt-5.1", reason=cast.HOSTILE),
        "apikey": cast.key(atlas, name=cast.HOSTILE),
        "run": cast.run(),
        "decision": made,
        "environmentsnapshot": EnvironmentSnapshot.objects.get(),
        "writer": keeping.writer(host=cast.HOSTILE, snapshot_fault=cast.HOSTILE),
        "quarantinedrow": keeping.quarantined(reason=cast.HOSTILE, detail=cast.HOSTILE, row=cast.HOSTILE),
        "seal": keeping.seal(kind="<b>", heads=cast.HOSTILE, removed=cast.HOSTILE),
        "alert": keeping.alert(subject=cast.HOSTILE, message=cast.HOSTILE, fault=cast.HOSTILE),
        "breakerevent": cast.breaker_event(model=cast.HOSTILE, reason=cast.HOSTILE, decision_id=made.pk),
    }


def urls(rows: dict[str, Any]) -> list[str]:
    base = "/admin/iwrouting"
    pages = [f"{base}/{name}/" for name in LISTS]
    pages += [f"{base}/{name}/{row.pk}/change/" for name, row in rows.items()]
    pages += [f"{base}/{name}/{rows[name].pk}/{page}/" for name in FORMS for page in ("history", "delete")]
    pages += [f"{base}/{name}/add/" for name in FORMS]
    pages += [f"{base}/apikey/{rows['apikey'].pk}/revoke/", "/admin/", "/admin/iwrouting/", "/admin/guide/"]
    pages += ["/admin/config/as-of/", "/admin/config/compare/?from=0&to=1", "/admin/resolve/?alias=fast"]
    pages += [f"{base}/decision/{rows['decision'].pk}/again/", f"{base}/change/revision/1/"]
    pages += [f"{base}/price/sync/", "/admin/system/", "/admin/system/maintenance/"]
    pages += [f"{base}/run/{rows['run'].pk}/raise/"]
    pages += [f"/admin/{name}/" for name in OTHERS]
    # Keys are revoked, models in use disabled, prices superseded: none has a page to delete it.
    return [page for page in pages if not re.fullmatch(r".*/(apikey|model|price)/\d+/delete/", page)]


def test_every_page_opens_without_inline_style_or_script(boss: Client, rows: dict[str, Any]) -> None:
    pages = urls(rows)
    assert len(pages) > 35
    assert [(url, fault) for url in pages for fault in read(boss.get(url, follow=True)).faults] == []


def test_every_page_carries_the_policy(boss: Client, rows: dict[str, Any]) -> None:
    policy = boss.get("/admin/iwrouting/alias/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_view_only_people_read_every_page_without_json_or_forms(as_user: LoggedIn, rows: dict[str, Any]) -> None:
    viewer = as_user(cast.person("viewer", *(f"view_{name}" for name in rows)))
    for name, row in rows.items():
        page = read(viewer.get(f"/admin/iwrouting/{name}/{row.pk}/change/"))
        assert page.faults == []
        assert '["' not in page.text or name == "decision"
        assert "_save" not in page.values("input", "name")


def test_every_field_of_every_form_says_what_it_is(boss: Client) -> None:
    request = RequestFactory().get("/")
    request.user = cast.person("editor", superuser=True)
    silent = []
    for model, page in PAGES.items():
        found = admin.site.get_model_admin(model)
        assert isinstance(found, page)
        for made in (found, *found.get_inline_instances(request)):
            silent += [f"{made}: {name}" for name, field in form_fields(made, request) if not field.help_text]
    assert silent == []


def form_fields(page: Any, request: Any) -> list[tuple[str, Any]]:
    if isinstance(page, ModelAdmin):
        form = page.get_form(request) if page.has_add_permission(request) else None
        return list(form.base_fields.items()) if form else []
    return [each for each in page.get_formset(request).form.base_fields.items() if each[0] not in ("id", "DELETE")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("decision", "No decisions yet. Send a test request"),
        ("override", "Every project follows the defaults. Add an override only where one differs."),
        ("model", "No models. Load the built-in catalogue"),
        ("apikey", "No API keys."),
        ("run", "No runs under a budget."),
        ("quarantinedrow", "No row is in quarantine: the database took every one."),
        ("seal", "No seal yet: workers make one each hour."),
        ("alert", "No alert was ever raised."),
        ("writer", "No process has written yet."),
    ],
)
def test_an_empty_list_says_what_to_do(boss: Client, name: str, words: str) -> None:
    assert words in read(boss.get(f"/admin/iwrouting/{name}/")).text


def test_the_first_request_is_ready_to_paste(boss: Client) -> None:
    page = read(boss.get("/admin/iwrouting/decision/", headers={"host": "127.0.0.1:8000"}))
    assert "curl http://127.0.0.1:8000/v1/chat/completions" in page.text
    assert '"Authorization: Bearer $IW_API_KEY"' in page.text
    assert "/admin/iwrouting/apikey/" in page.values("a", "href")


def test_filters_that_nothing_meets_offer_to_be_cleared(boss: Client, rows: dict[str, Any]) -> None:
    page = read(boss.get("/admin/iwrouting/override/?state=expired"))
    assert "No overrides match. Clear filters" in page.text
    assert "?" in page.values("a", "href")


def test_nothing_offers_to_delete_several_rows_at_once(boss: Client, rows: dict[str, Any]) -> None:
    for name in [*(f"iwrouting/{each}" for each in LISTS), *OTHERS]:
        assert "delete_selected" not in read(boss.get(f"/admin/{name}/")).values("option", "value")


def test_the_guide_shows_the_documents_and_nothing_else(boss: Client) -> None:
    assert "/admin/guide/admin/" in read(boss.get("/admin/guide/")).values("a", "href")
    assert "# The admin" in read(boss.get("/admin/guide/admin/")).text
    assert boss.get("/admin/guide/..%2FREADME/").status_code == 404
    assert boss.get("/admin/guide/nosuch/").status_code == 404
