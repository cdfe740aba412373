"""Edits through the running service: the admin, as a browser sends its forms, and the management API."""

from __future__ import annotations

from typing import Any, cast

import httpx2
from django.contrib.auth.models import User
from django.test import Client

from iwrouting.models import Alias
from tests.admin import forms
from tests.live.databases import ALIAS
from tests.start.web import browser, log_in

PATIENCE_S = 120.0
"""An edit waits for those before it."""

PASSWORD = "of-the-tests-alone"


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


def edit_by_api(url: str, key: str, count: int) -> None:
    """Rename a project so many times."""
    with browser(url) as client:
        client.timeout = PATIENCE_S
        for number in range(count):
            got = client.put(
                "/api/v1/projects/edits-by-api",
                json={"name": f"Edit {number}"},
                headers={"authorization": f"Bearer {key}"},
            )
            assert got.status_code in (200, 201), got.text
