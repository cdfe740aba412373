"""`GET /api/v1/aliases`: what the key may ask for, and what serves it now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iwrouting.models import Override, Revision
from iwrouting.snapshot import store
from tests.api.stock import Stock, refused

PATH = "/api/v1/aliases"


@pytest.fixture
def configured(stock: Stock) -> Stock:
    """Two aliases, a global override of one and a project's override of the other."""
    fast = stock.alias(
        "fast", kind="chat_mode", default_model="gpt-4.1-mini", variable="OPENAI_MODEL_FAST", tier="small"
    )
    manager = stock.alias("manager", chain=["fast"], purpose="Plans", subsystem="5.2")
    atlas = stock.project("atlas", "p-1")
    Override(alias=fast, model="gpt-5-nano").save()
    Override(alias=manager, project=atlas, model="gpt-5.1").save()
    return stock


def listed(stock: Stock, key: str, query: str = "", **headers: str) -> dict[str, Any]:
    """The answer."""
    answer = stock.get(PATH + query, key, **headers)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def serving(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Model and source by alias."""
    return {entry["name"]: (entry["model"], entry["source"]) for entry in answer["results"]}


def test_each_alias_stands_with_its_fields(configured: Stock) -> None:
    answer = listed(configured, configured.key("resolve"))
    manager = next(entry for entry in answer["results"] if entry["name"] == "manager")
    assert manager == {
        "name": "manager",
        "kind": "role",
        "purpose": "Plans",
        "variable": "",
        "default_model": "gpt-4.1",
        "tier": "",
        "subsystem": "5.2",
        "infer": True,
        "chain": ["fast"],
        "model": "gpt-4.1",
        "source": "default",
        "upstream": store.current.default_upstream,
    }
    assert answer["revision"] == Revision.current()
    assert answer["environment_id"] == store.current.environment.id


def test_without_a_project_no_projects_overrides_count(configured: Stock) -> None:
    answer = listed(configured, configured.key("resolve"))
    assert answer["project"] is None
    assert serving(answer) == {"fast": ("gpt-5-nano", "override"), "manager": ("gpt-4.1", "default")}


@pytest.mark.parametrize("name", ["atlas", "p-1"])
def test_a_project_may_be_named_by_slug_or_external_id(configured: Stock, name: str) -> None:
    answer = listed(configured, configured.key("resolve"), f"?project={name}")
    assert answer["project"] == "atlas"
    assert serving(answer)["manager"] == ("gpt-5.1", "project_override")


def test_the_header_names_the_project_and_the_parameter_wins(configured: Stock) -> None:
    configured.project("other")
    key = configured.key("resolve", projects=["*"])
    assert listed(configured, key, x_iw_project="atlas")["project"] == "atlas"
    assert listed(configured, key, "?project=other", x_iw_project="atlas")["project"] == "other"


def test_only_granted_aliases_are_shown(configured: Stock) -> None:
    answer = listed(configured, configured.key("resolve", allowed_aliases=["manager"]))
    assert list(serving(answer)) == ["manager"]


@pytest.mark.parametrize(
    ("granted", "name", "expected"),
    [
        ([], "other", (403, "project_not_granted", None)),
        ([], "nowhere", (403, "project_not_granted", None)),
        (["*"], "nowhere", (404, "project_not_found", "project")),
    ],
)
def test_a_project_that_is_not_there_for_the_key_is_refused(
    configured: Stock, granted: list[str], name: str, expected: tuple[int, str, str | None]
) -> None:
    configured.project("other")
    key = configured.key("resolve", projects=granted)
    assert refused(configured.get(f"{PATH}?project={name}", key)) == expected


def test_an_unknown_parameter_is_refused(stock: Stock) -> None:
    assert refused(stock.get(f"{PATH}?projekt=atlas", stock.key())) == (400, "invalid_request", "projekt")


def test_it_asks_the_database_nothing(configured: Stock, django_assert_num_queries: Any) -> None:
    key = configured.key("resolve")
    with django_assert_num_queries(0):
        listed(configured, key)
