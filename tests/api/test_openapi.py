"""The OpenAPI document holds every route as it is, and its page works without the internet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.urls import URLPattern, get_resolver

from iwrouting.api.authority import AUTHORITY, PUBLIC
from iwrouting.api.schema.generator import openapi
from tests.api.document import components, faults
from tests.api.stock import Stock, refused
from tests.api.test_decisions import store_one

UNDESCRIBED = {"home", "admin", "schema", "docs", "not-found"}


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the document: method, path, itself."""
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def short(value: object) -> str:
    """A parameter in the name of a test."""
    return value if isinstance(value, str) else ""


def in_table() -> dict[tuple[str, str], str]:
    """What each cell of the authority table asks for, by method and the document's path."""
    maps = (settings.LEAN_URLCONF, settings.ROOT_URLCONF)
    patterns = (each for urlconf in maps for each in get_resolver(urlconf).url_patterns)
    paths = {
        str(each.name): "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern))
        for each in patterns
        if isinstance(each, URLPattern)
    }
    return {
        (method, paths[name]): needed
        for name, row in AUTHORITY.items()
        if name not in UNDESCRIBED
        for method, needed in row.items()
    }


def test_the_generator_has_nothing_to_complain_of() -> None:
    said = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=said)
    assert yaml.load(said.getvalue(), yaml.CSafeLoader) == json.loads(json.dumps(openapi()))


def test_every_route_is_described_and_no_other() -> None:
    assert {(method, path) for method, path, _ in described()} == set(in_table())


@pytest.mark.parametrize(("method", "path", "operation"), list(described()), ids=short)
def test_an_operation_says_what_it_is_and_what_it_asks_for(method: str, path: str, operation: dict[str, Any]) -> None:
    needed = in_table()[method, path]
    assert re.fullmatch(r"[A-Z][\w ?]{6,40}", operation["summary"])
    assert operation["tags"]
    if needed == PUBLIC:
        assert "security" not in operation
        assert "Public" in operation["description"]
    else:
        assert operation["security"] == [{"ApiKey": []}]
        assert {"401", "403"} <= set(operation["responses"])
        assert (f"`{needed}`" if needed != "any key" else "Any key") in operation["description"]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in described()]
    assert len(ids) == len(set(ids)) == len(in_table())


def test_the_key_is_a_bearer_token() -> None:
    scheme = openapi()["components"]["securitySchemes"]
    assert list(scheme) == ["ApiKey"]
    assert (scheme["ApiKey"]["type"], scheme["ApiKey"]["scheme"]) == ("http", "bearer")


def test_every_answer_names_the_request_id_and_refers_to_headers_that_are_described() -> None:
    for method, path, operation in described():
        for status, response in operation["responses"].items():
            assert "x-request-id" in response["headers"], (method, path, status)
            names = {header["$ref"].rpartition("/")[2] for header in response["headers"].values()}
            assert names <= set(components()["headers"])


def examples() -> Iterator[tuple[str, str, str, Any]]:
    for method, path, operation in described():
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                yield method, path, status, example["value"]


@pytest.mark.parametrize(("method", "path", "status", "example"), list(examples()), ids=short)
def test_each_example_is_as_described(method: str, path: str, status: str, example: Any) -> None:
    assert faults(method, path, int(status), example) == []


def test_an_answer_that_is_not_as_described_would_be_seen() -> None:
    [example] = [value for _, path, _, value in examples() if path == "/api/v1/aliases" and "results" in value]
    assert faults("GET", "/api/v1/aliases", 200, {**example, "more": 1}) != []
    assert faults("GET", "/api/v1/aliases", 200, {**example, "revision": "41"}) != []
    assert faults("GET", "/api/v1/aliases", 299, example) != []


def test_the_management_api_answers_as_described(stock: Stock) -> None:
    key = stock.key(projects=["*"])
    stock.alias("manager", chain=["fast"])
    row = store_one()
    for method, path, address, body, status in (
        ("GET", "/api/v1/decisions/{decision_id}", f"/api/v1/decisions/{row.id}", None, 200),
        ("GET", "/api/v1/decisions/{decision_id}", "/api/v1/decisions/1", None, 400),
        ("GET", "/api/v1/aliases", "/api/v1/aliases", None, 200),
        ("GET", "/api/v1/aliases", "/api/v1/aliases?project=x", None, 404),
        ("PUT", "/api/v1/projects/{external_id}", "/api/v1/projects/p-1", {}, 201),
        ("PUT", "/api/v1/projects/{external_id}", "/api/v1/projects/p-1", {}, 200),
        ("PUT", "/api/v1/projects/{external_id}", "/api/v1/projects/p-1", {"slug": "x"}, 409),
        ("PUT", "/api/v1/projects/{external_id}", "/api/v1/projects/p-1", {"x": 1}, 400),
        ("GET", "/api/v1/projects/{external_id}", "/api/v1/projects/p-1", None, 200),
        ("GET", "/api/v1/projects/{external_id}", "/api/v1/projects/p-2", None, 404),
        ("POST", "/api/v1/whatif", "/api/v1/whatif", {"override": {"alias": "manager", "model": "gpt-5.1"}}, 200),
        ("POST", "/api/v1/whatif", "/api/v1/whatif", {"days": 91}, 400),
    ):
        answer = stock.ask(method, address, key, body)
        assert answer.status_code == status
        assert faults(method, path, status, json.loads(answer.content)) == []


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("", "application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("", "application/yaml", "application/yaml"),
        ("?format=json", "*/*", "application/json"),
        ("?format=yaml", "*/*", "application/yaml"),
    ],
)
def test_the_document_comes_as_json_or_yaml(stock: Stock, query: str, accept: str, kind: str) -> None:
    answer = stock.get(f"/api/schema{query}", accept=accept)
    assert answer["content-type"].partition(";")[0] == kind
    assert "Accept" in answer["vary"]
    found = yaml.load(answer.content, yaml.CSafeLoader) if "yaml" in kind else json.loads(answer.content)
    assert found == json.loads(json.dumps(openapi()))


def test_another_format_is_refused(stock: Stock) -> None:
    assert refused(stock.get("/api/schema", accept="text/csv")) == (406, "not_acceptable", None)


def test_the_page_has_no_inline_script_and_nothing_from_elsewhere(stock: Stock) -> None:
    answer = stock.get("/api/docs")
    page = answer.content.decode()
    assert answer["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in answer["content-security-policy"]
    assert re.findall(r"<style|style=|\son\w+=|//", page) == []
    scripts = re.findall(r'<script src="([^"]+)"></script>', page)
    assert len(scripts) == page.count("<script")
    links = re.findall(r'<link rel="\w+" href="([^"]+)">', page)
    for address in scripts + links:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")) is not None
    assert stock.get("/api/docs?script=")["content-type"].partition(";")[0] == "application/javascript"


def test_the_page_asks_no_validator_in_the_internet(stock: Stock) -> None:
    script = stock.get("/api/docs?script=").content.decode()
    assert '"validatorUrl": null' in script
    assert "http://" not in script
    assert "https://" not in script
