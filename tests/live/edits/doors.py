"""Edits through the running service: the admin, as a browser sends its forms, and the management API."""

from __future__ import annotations

from typing import Any, cast

import httpx2
from django.contrib.auth.models import User
from django.test import Client

from iwrouting.models import Alias, Override
from tests.admin import forms
from tests.live.databases import ALIAS
from tests.start.web import browser, log_in

PATIENCE_S = 120.0
"""An edit waits for those before it."""

PASSWORD = "of-the-tests-alone"
BY_API = "edit_api"
"""The alias that the API edits."""

MODELS = ("gpt-6-luna", "gpt-4.1")


class Page:
    """What the forms read of an answer."""

    def __init__(self, got: httpx2.Response) -> None:
        self.content = got.content
        self.status_code = got.status_code


class Web:
    """As much of Django's test client as the forms need, over a socket."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def get(self, path: str) -> Page:
        """A page."""
        return Page(self._client.get(path))

    def post(self, path: str, data: dict[str, Any]) -> Page:
        """A form sent, and the page that follows."""
        return Page(self._client.post(path, data=data, headers={"referer": f"{self._client.base_url}{path}"}))


def make_boss() -> None:
    """The superuser of the edits."""
    if not User.objects.using(ALIAS).filter(username="editor").exists():
        boss = User(username="editor", is_staff=True, is_superuser=True)
        boss.set_password(PASSWORD)
        boss.save(using=ALIAS)


def edit_by_admin(url: str, row: Alias, count: int) -> None:
    """Change the purpose of an alias so many times. AssertionError where a form is not taken."""
    with browser(url) as client:
        client.timeout = PATIENCE_S
        log_in(client, "editor", PASSWORD)
        web = cast(Client, Web(client))
        for number in range(count):
            page = forms.fill(web, f"/admin/iwrouting/alias/{row.pk}/change/", purpose=f"Edit {number}", _save="Save")
            assert b"was changed successfully" in page.content, page.content.decode()[:3000]


def edit_by_api(url: str, key: str, override: Override, count: int) -> None:
    """So many edits in turn: of a project, of an alias, and of an override that the watchers' answers follow."""
    with browser(url) as client:
        client.timeout = PATIENCE_S
        client.headers["authorization"] = f"Bearer {key}"
        for number in range(count):
            if number % 3 == 0:
                _put(client, "projects/edits-by-api", {"name": f"Edit {number}"})
            elif number % 3 == 1:
                _patch(client, f"overrides/{override.pk}", {"enabled": number % 2 == 1, "model": MODELS[number % 2]})
            else:
                _patch(client, f"aliases/{BY_API}", {"purpose": f"Edit {number}"})


def _put(client: httpx2.Client, path: str, said: dict[str, Any]) -> None:
    got = client.put(f"/api/v1/{path}", json=said)
    assert got.status_code in (200, 201), got.text


def _patch(client: httpx2.Client, path: str, said: dict[str, Any]) -> None:
    """A change on top of what stands there; what it brings is acknowledged once it was told."""
    etag = client.get(f"/api/v1/{path}").headers["etag"]
    body = {**said, "change_reason": "An edit by the API"}
    got = client.patch(f"/api/v1/{path}", json=body, headers={"if-match": etag})
    if got.status_code == 409:
        told = [each["key"] for each in got.json()["error"]["details"]]
        got = client.patch(f"/api/v1/{path}", json={**body, "acknowledge": told}, headers={"if-match": etag})
    assert got.status_code == 200, got.text
