"""Why this model? The resolver's answer on a page: nothing is sent, recorded or remembered of a text."""

from __future__ import annotations

import json
import shlex
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from django.core.management import call_command
from django.test import Client

from iwrouting.admin.resolve_links import TEXT_FILE
from iwrouting.calls import ResolveAsk
from iwrouting.models import Alias, Decision, Override, Revision
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read

URL = "/admin/resolve/"
RESEARCH = "Compare the literature on retrieval, with sources and citations, in a systematic review of the evidence."


@pytest.fixture(autouse=True)
def matrix(db: None) -> None:
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
    cast.alias("fast", "gpt-4.1", variable="OPENAI_MODEL_FAST")
    for name in ("auto", "research", "code"):
        cast.alias(name, "gpt-5.1" if name == "research" else "gpt-4.1", chain=["fast"])


def asked(client: Client, **query: Any) -> Page:
    return read(client.get(URL, query))


def test_answer__has_the_ladder_of_four_and_the_chain(boss: Client) -> None:
    atlas = cast.project()
    row = Override.objects.create(alias_id=_pk("research"), project=atlas, model="gpt-4.1")
    page = asked(boss, alias="research", project="atlas")
    assert "research is served by gpt-4.1 (project_override) for atlas." in page.text
    assert f"project_override gpt-4.1 used override:{row.pk}" in page.text
    assert "override – not_set" in page.text
    assert "environment – not_set" in page.text
    assert "default gpt-5.1 shadowed alias:research" in page.text
    assert "1 fast gpt-4.1" in page.text
    assert "duplicate" in page.text
    assert f"revision {Revision.current()} at" in page.text
    assert f"/admin/iwrouting/override/{row.pk}/change/" in page.values("a", "href")
    assert page.faults == []
    assert not Decision.objects.exists()


def _pk(name: str) -> int:
    return Alias.objects.get(name=name).pk


def test_form__leads_to_an_address_that_holds_all_but_the_text(boss: Client) -> None:
    answer = forms.fill(boss, URL, alias="auto", text=RESEARCH, project="", as_of=" 1 ")
    query = parse_qs(urlparse(answer.headers["Location"]).query)
    assert (query["alias"], query["as_of"]) == (["auto"], ["1"])
    assert query.keys() == {"alias", "as_of", "features"}
    assert "literature" not in answer.headers["Location"]
    assert "words:" in query["features"][0]


def test_text__for_auto__is_measured_and_inferred(boss: Client) -> None:
    answer = boss.post(URL, {"alias": "auto", "text": RESEARCH})
    page = read(boss.get(answer.headers["Location"]))
    assert "auto stands for research and is served by gpt-5.1 (default)" in page.text
    assert "research: research-like: " in page.text
    assert "literature" not in page.text
    assert "Measured: " in page.text
    again = forms.fill(boss, answer.headers["Location"], alias="auto")
    assert "features=" in again.headers["Location"]
    assert "No sample text: auto is its own model." in asked(boss, alias="auto").text
    assert "nothing was inferred" in asked(boss, alias="fast", features="words:3").text


def test_past__revision_and_environment__are_in_the_address(boss: Client) -> None:
    first = Revision.current()
    Override.objects.create(alias_id=_pk("fast"), model="gpt-5.1")
    assert "served by gpt-5.1 (override)" in asked(boss, alias="fast").text
    page = asked(boss, alias="fast", as_of=first)
    assert "served by gpt-4.1 (default)" in page.text
    assert f"As it was: revision {first}" in page.text


def test_ways__link_curl_and_command_ask_the_same(
    boss: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.project()
    last = Revision.current()
    page = asked(boss, alias="auto", project="atlas", features="words:12,lines:1", as_of=last, environment_id="")
    assert "http://testserver/admin/resolve/?alias=auto&project=atlas" in page.text
    command = shlex.split(page.text.partition(" Command ")[2])
    assert command[:4] == ["python", "manage.py", "routing_resolve", "auto"]
    curl = shlex.split(page.text.partition(" curl ")[2].partition(" Command ")[0])
    assert curl[2] == "http://testserver/api/v1/resolve"
    body = json.loads(curl[-1])
    assert body == {
        "alias": "auto", "dry_run": True, "project": "atlas", "features": {"words": 12, "lines": 1}, "as_of": str(last),
    }  # fmt: skip
    assert ResolveAsk.read(body).aliases == ("auto",)
    (tmp_path / TEXT_FILE).write_text("Say hello")
    monkeypatch.chdir(tmp_path)
    call_command(*command[2:], "--format", "json", stdout=(told := StringIO()))
    assert json.loads(told.getvalue())["revision"] == last
    only = asked(boss, alias="gpt-4.1", as_of="1", at="2026-11-22T08:00:00Z")
    assert "Link" in only.text
    assert "curl" not in only.text


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"alias": "fsat"}, "No alias 'fsat'. Did you mean 'fast'?"),
        ({"alias": "gpt-4.2"}, "Did you mean 'gpt-4.1'?"),
        ({"alias": cast.HOSTILE}, f"No alias '{cast.HOSTILE}'."),
        ({"alias": "fast", "project": "atlsa"}, "No project 'atlsa'. Did you mean 'atlas'?"),
        ({"alias": "fast", "project": "atlas", "as_of": "1"}, "No project 'atlas' at revision 1."),
        ({"alias": "fast", "as_of": "99"}, "There is no revision 99"),
        ({"alias": "auto", "features": "wrods:1"}, "features: wrods: no such feature"),
        ({"alias": "auto", "features": "words"}, "features: 'words' has no number; write them as words:12,lines:1"),
    ],
)
def test_mistakes__are_told_and_what_was_typed_stays(boss: Client, query: dict[str, str], fault: str) -> None:
    cast.project()
    page = asked(boss, **query)
    assert fault in page.text
    assert page.faults == []
    assert query["alias"] in page.values("input", "value")


def test_create_override_from_this__for_who_may(boss: Client, as_user: LoggedIn) -> None:
    atlas = cast.project()
    found = [
        each for each in asked(boss, alias="fast", project="atlas").values("a", "href") if "override/add/?" in each
    ]
    assert parse_qs(urlparse(found[0]).query) == {
        "alias": [str(_pk("fast"))], "model": ["gpt-4.1"], "project": [str(atlas.pk)],
    }  # fmt: skip
    assert forms.values(boss, found[0])["model"] == ["gpt-4.1"]
    viewer = as_user(cast.person("viewer", "view_alias"))
    assert "override/add" not in " ".join(asked(viewer, alias="fast").values("a", "href"))
    assert "/admin/resolve/" in read(viewer.get("/admin/")).values("a", "href")


def test_who_may_not_see_aliases__is_told(as_user: LoggedIn) -> None:
    client = as_user(cast.person("auditor", "view_decision"))
    answer = client.get(URL)
    assert (answer.status_code, b"iwrouting.view_alias" in answer.content) == (403, True)
    past = as_user(cast.person("viewer", "view_alias")).get(URL, {"alias": "fast", "as_of": "1"})
    assert (past.status_code, b"iwrouting.view_change" in past.content) == (403, True)
    assert "/admin/resolve/" not in read(client.get("/admin/")).values("a", "href")
