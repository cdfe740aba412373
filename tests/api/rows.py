"""A small configuration without faults or findings, and requests that write its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse

from iwrouting.conf import settings
from iwrouting.models import Alias, Model, Override, Price, Project, change
from iwrouting.types import Via
from tests.api.stock import Stock

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
WHY = "A test wants it so"
MODELS = ("acme-small", "acme-mid", "acme-strong")


@dataclass
class Rows:
    """The stock stack with three models, their prices, two aliases, two projects and an override."""

    stock: Stock
    key: str

    def ask(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> HttpResponse:
        """One request; `path` under /api/v1. A body that says no reason gets one."""
        if isinstance(body, dict):
            body = {"change_reason": WHY, **body}
        return self.stock.ask(method, f"/api/v1/{path}", key or self.key, body, **headers)

    def told(self, method: str, path: str, body: Any = None, status: int = 200, key: str = "", **headers: str) -> Any:
        """The JSON of an answer that must have this status."""
        answer = self.ask(method, path, body, key, **headers)
        assert answer.status_code == status, answer.content
        return json.loads(answer.content)

    def read(self, path: str, key: str = "") -> Any:
        """The JSON of a GET."""
        return self.told("GET", path, key=key)

    def write(self, method: str, path: str, body: Mapping[str, Any], status: int = 200, key: str = "") -> Any:
        """A change on top of what stands there now."""
        etag = self.ask("GET", path, key=key)["etag"]
        return self.told(method, path, dict(body), status, key, if_match=etag)


def small_configuration() -> None:
    """Its rows, as one revision."""
    with change(author="tests", via=Via.CLI, reason="A test needs these rows"):
        for name in MODELS:
            Model(model_id=name, endpoints=["chat"], context_window=100_000).save()
            Price(
                model_id=name, valid_from=LONG_AGO, input_pico=400_000, cached_pico=100_000, output_pico=1_600_000
            ).save()
        Alias(name="fast", kind="chat_mode", default_model="acme-small").save()
        Alias(name="manager", kind="role", default_model="acme-mid", chain=["fast"]).save()
        atlas = Project(slug="atlas", external_id="p-1")
        atlas.save()
        Project(slug="other", external_id="p-2").save()
        Override(alias=Alias.objects.get(name="manager"), project=atlas, model="acme-strong").save()


def override_id(**named: Any) -> str:
    """The number of the one override of these."""
    return str(Override.objects.get(**named).pk)


def may_edit_upstreams(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    """These keys are the ones that IW_UPSTREAM_EDITORS names."""
    conf = settings().model_copy(update={"upstream_editors": tuple(key[3:13] for key in keys)})
    monkeypatch.setattr("iwrouting.api.management.resources.upstreams.settings", lambda: conf)
