"""Requests to the stock stack without sockets, with keys made for the test."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from iwrouting.models import Alias, ApiKey, Project, new_key
from iwrouting.snapshot import store
from iwrouting.types import Scope

ALL = [scope.value for scope in Scope]


class Stock:
    """A client, and the rows that a test needs."""

    def __init__(self) -> None:
        # The middleware's own errors are answers here, as they are in service.
        self.client = Client(raise_request_exception=False)

    def project(self, slug: str, external_id: str | None = None, **fields: Any) -> Project:
        """A stored project."""
        row = Project(slug=slug, external_id=external_id, **fields)
        row.save()
        return row

    def alias(self, name: str, **fields: Any) -> Alias:
        """A stored alias, a role unless `kind` says otherwise."""
        row = Alias(name=name, **{"kind": "role", "default_model": "gpt-4.1"} | fields)
        row.save()
        return row

    def key(self, *scopes: str, project: str = "atlas", projects: list[str] | None = None, **fields: Any) -> str:
        """A new key with these scopes, all if none is named, for one project and those in `projects`; its text."""
        row = Project.objects.filter(slug=project).first() or self.project(project)
        made = new_key()
        ApiKey(
            key_id=made.key_id,
            sha256=made.sha256,
            name="test",
            project=row,
            projects=projects or [],
            scopes=list(scopes) or ALL,
            **fields,
        ).save()
        store.check()
        return made.text

    def ask(self, method: str, path: str, key: str = "", body: object = None, **headers: str) -> HttpResponse:
        """One request; `headers` with _ for -. A body that is no bytes is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["authorization"] = f"Bearer {key}"
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = sent.pop("content-type", "application/json")
        found: Any = self.client.generic(method, path, data, content_type=kind, headers=sent)
        return found  # type: ignore[no-any-return] # the client's own class of answers

    def get(self, path: str, key: str = "", **headers: str) -> HttpResponse:
        """One GET."""
        return self.ask("GET", path, key, **headers)

    def put(self, path: str, key: str, body: object = None, **headers: str) -> HttpResponse:
        """One PUT."""
        return self.ask("PUT", path, key, body, **headers)


def error_of(answer: HttpResponse) -> dict[str, Any]:
    """The error object of an answer, whose type must be JSON."""
    assert answer["content-type"] == "application/json"
    body = json.loads(answer.content)
    assert list(body) == ["error"]
    found: dict[str, Any] = body["error"]
    assert {"message", "type", "param", "code"} <= set(found)
    return found


def refused(answer: HttpResponse) -> tuple[int, str | None, str | None]:
    """Status, code and param of a refusal."""
    error = error_of(answer)
    return answer.status_code, error["code"], error["param"]
