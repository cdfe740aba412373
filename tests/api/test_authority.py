"""The authority table against the URL maps and the answers: every route of the stock stack, every method, every caller.

The lean routes' cells are in test_sockets.py.
"""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from iwrouting.api.authority import AUTHORITY, PUBLIC, STAFF, allowed_methods, authority
from tests.api.cells import CALLERS, METHODS, expected, of_map, routes, wanted_scopes
from tests.api.rows import may_edit_upstreams
from tests.api.stock import Stock, refused

PATHS = {
    "home": "/",
    "decisions": "/api/v1/decisions",
    "decision": "/api/v1/decisions/019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11",
    "usage": "/api/v1/usage",
    "aliases": "/api/v1/aliases",
    "project": "/api/v1/projects/p-1",
    "what-if": "/api/v1/whatif",
    "decision-again": "/api/v1/decisions/019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11/again",
    "alias": "/api/v1/aliases/x",
    "overrides": "/api/v1/overrides",
    "override": "/api/v1/overrides/1",
    "projects": "/api/v1/projects",
    "catalogue-models": "/api/v1/models",
    "catalogue-model": "/api/v1/models/x",
    "upstreams": "/api/v1/upstreams",
    "upstream": "/api/v1/upstreams/x",
    "prices": "/api/v1/prices",
    "price": "/api/v1/prices/1",
    "keys": "/api/v1/keys",
    "key": "/api/v1/keys/x",
    "key-rotate": "/api/v1/keys/x/rotate",
    "revisions": "/api/v1/revisions",
    "revision": "/api/v1/revisions/1",
    "changes": "/api/v1/changes",
    "change": "/api/v1/changes/1",
    "metrics": "/metrics",
    "telemetry": "/api/v1/telemetry",
    "telemetry-reset": "/api/v1/telemetry/reset",
    "schema": "/api/schema",
    "docs": "/api/docs",
}


def test_the_table_names_exactly_the_routes_of_both_maps() -> None:
    assert of_map(settings.LEAN_URLCONF) | of_map(settings.ROOT_URLCONF) == set(AUTHORITY)


def test_these_tests_reach_every_route_of_the_stock_stack() -> None:
    assert set(PATHS) | {"admin"} == of_map(settings.ROOT_URLCONF)


def test_the_table_is_as_decided() -> None:
    decided = {
        "healthz": "GET public",
        "readyz": "GET public",
        "chat-completions": "POST call",
        "responses": "POST call",
        "response": "GET call, DELETE call",
        "response-cancel": "POST call",
        "response-input-items": "GET call",
        "embeddings": "POST call",
        "models": "GET any key",
        "model": "GET any key",
        "resolve": "GET resolve, POST resolve",
        "not-found": "",
        "decisions": "GET read_audit",
        "decision": "GET read_audit",
        "metrics": "GET read_audit",
        "telemetry": "GET read_audit",
        "telemetry-reset": "POST read_audit",
        "decision-again": "GET read_audit",
        "usage": "GET read_audit",
        "aliases": "GET resolve, POST manage",
        "alias": "GET manage, PUT manage, PATCH manage, DELETE manage",
        "overrides": "GET manage, POST manage",
        "override": "GET manage, PUT manage, PATCH manage, DELETE manage",
        "projects": "GET manage, POST manage",
        "project": "GET manage, PUT manage, PATCH manage, DELETE manage",
        "catalogue-models": "GET manage, POST manage",
        "catalogue-model": "GET manage, PUT manage, PATCH manage, DELETE manage",
        "upstreams": "GET manage, POST manage",
        "upstream": "GET manage, PUT manage, PATCH manage, DELETE manage",
        "prices": "GET manage, POST manage",
        "price": "GET manage, DELETE manage",
        "keys": "GET manage, POST manage",
        "key": "GET manage, PATCH manage, DELETE manage",
        "key-rotate": "POST manage",
        "revisions": "GET manage",
        "revision": "GET manage",
        "changes": "GET manage",
        "change": "GET manage",
        "what-if": "POST manage",
        "schema": "GET public",
        "docs": "GET public",
        "home": "GET public",
        "admin": "* staff",
    }
    assert {
        name: ", ".join(f"{method} {needed}" for method, needed in row.items()) for name, row in AUTHORITY.items()
    } == decided


def test_what_is_not_in_the_table_is_granted_to_nobody() -> None:
    assert authority("a route that is new", "GET") is None
    assert authority("models", "DELETE") is None
    assert authority("healthz", "OPTIONS") is None
    assert allowed_methods("price") == ["DELETE", "GET", "HEAD"]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", PATHS)
def test_each_cell_of_the_stock_stack(stock: Stock, monkeypatch: pytest.MonkeyPatch, route: str, caller: str) -> None:
    keys = {"": ""}
    for method in METHODS:
        scopes = ",".join(wanted_scopes(route, method, caller))
        if scopes not in keys:
            keys[scopes] = stock.key(*scopes.split(","), projects=["*"])
        may_edit_upstreams(monkeypatch, keys[scopes])
        answer = stock.ask(method, PATHS[route], keys[scopes], {} if method == "PUT" else None)
        assert expected(route, method, caller).fits(answer.status_code, answer.headers), method


def test_a_page_that_is_public_takes_a_wrong_key(stock: Stock) -> None:
    for route in ("schema", "docs"):
        assert authority(route, "GET") == PUBLIC
        assert stock.get(PATHS[route], "wrong").status_code == 200


ADMIN = [each for each in routes(get_resolver(settings.ROOT_URLCONF).url_patterns) if each[0].startswith("admin:")]
OPEN_IN_ADMIN = {"admin:login": 200, "admin:logout": 302}


@pytest.mark.parametrize(("name", "path"), ADMIN)
def test_the_admin_sends_strangers_to_the_login(db: None, name: str, path: str) -> None:
    client = Client(raise_request_exception=False)
    for method in METHODS:
        assert authority(name, method) == STAFF
        answer = client.generic(method, path)
        if name in OPEN_IN_ADMIN:
            assert answer.status_code in (OPEN_IN_ADMIN[name], 405)
        else:
            assert answer.status_code == 302, method
            assert answer["location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("key", ["", "Bearer", "Basic abc", "Bearer iw_0000000000_" + "0" * 72, "Bearer nonsense"])
def test_a_key_that_is_none_is_a_401_that_says_how(stock: Stock, key: str) -> None:
    answer = stock.get(PATHS["aliases"], authorization=key) if key else stock.get(PATHS["aliases"])
    assert refused(answer) == (401, "invalid_api_key" if key else "missing_api_key", None)
    assert answer["www-authenticate"] == "Bearer"
