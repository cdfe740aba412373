"""Requests as a browser and as a client make them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

BODY = {"model": "auto", "messages": [{"role": "user", "content": "Say hello"}]}


@contextmanager
def browser(url: str) -> Iterator[httpx2.Client]:
    """A client that keeps cookies and follows redirects."""
    with httpx2.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=10) as client:
        yield client


def log_in(client: httpx2.Client, user: str, password: str) -> str:
    """Log in to the admin; the page that comes then."""
    form = client.get("/admin/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token, form
    values = {"csrfmiddlewaretoken": token[1], "username": user, "password": password, "next": "/admin/"}
    return client.post("/admin/login/", data=values).text


def call(url: str, key: str, **body: Any) -> httpx2.Response:
    """One chat call."""
    headers = {"authorization": f"Bearer {key}"}
    with browser(url) as client:
        return client.post("/v1/chat/completions", json={**BODY, **body}, headers=headers)
