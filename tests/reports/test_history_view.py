"""rpt_config_history_v1 as of any revision is the configuration as of that revision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from iwrouting.conf.environment import variables
from iwrouting.models import Alias, ApiKey, Change, Override, Price, Project, Upstream, change, new_key
from iwrouting.snapshot.contents import contents_at, known_revisions
from iwrouting.types import Via
from tests.audit_tables.reading import select
from tests.planning.walk import Walk

pytestmark = pytest.mark.django_db

SEED = int(os.environ.get("FAULTS_SEED", "1"))
EDITS = int(os.environ.get("WALK_STEPS", "60"))
SAME = {
    "alias": ("default_model", "variable", "kind", "tier"),
    "override": ("alias", "model"),
    "project": ("owner", "max_run_tokens"),
    "model": ("replacement", "tier"),
}


def rows(where: str, names: str = "*") -> list[dict[str, Any]]:
    return select(f"SELECT {names} FROM rpt_config_history_v1 WHERE {where}")  # noqa: S608 - of these tests


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch, strict_changes: None) -> Iterator[None]:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    variables.cache_clear()
    walk = Walk(SEED)
    walk.begin()
    for _ in range(EDITS):
        walk.edit()
    assert walk.counts["edit"] > EDITS // 4
    yield
    variables.cache_clear()


def differences(row: dict[str, Any], content: Any) -> list[Any]:
    found = [(name, row[name], content[name]) for name in SAME.get(row["object_type"], ())]
    if row["object_type"] == "override":
        found += [
            ("project", row["project"], content["project"] or ""),
            ("enabled", row["is_enabled"], content["enabled"]),
        ]
        found += [(name, row[name], _time(content[name])) for name in ("starts_at", "expires_at")]
    return [each for each in found if each[1] != each[2]]


def _time(text: str | None) -> str | None:
    return None if text is None else str(datetime.fromisoformat(text).replace(tzinfo=None))


@pytest.mark.usefixtures("walked")
def test_history__as_of_every_revision__is_the_configuration_of_then() -> None:
    first, last = known_revisions()
    everything = rows("1 = 1")
    assert {row["ended_by"] for row in everything} == {None, "change", "delete"}
    for revision in range(first, last + 1):
        of_then = [
            row
            for row in everything
            if row["revision"] <= revision and (row["revision_to"] is None or revision < row["revision_to"])
        ]
        told = {(row["object_type"], row["object_id"]): row for row in of_then}
        stored = {
            (word, pk): content for word, of_word in contents_at(revision).items() for pk, content in of_word.items()
        }
        assert len(of_then) == len(told)
        assert set(told) == set(stored)
        assert [found for at in told if (found := differences(told[at], stored[at]))] == []
    assert all(row["is_current"] == int(row["revision_to"] is None) for row in everything)


def test_history__a_change__ends_one_version_and_begins_the_next() -> None:
    alias = Alias.objects.create(
        name="fast", kind="chat_mode", default_model="one", chain=["deep", "two"], deadline_s=2.5
    )
    with change(author="ann", via=Via.API, reason="two is better") as made:
        alias.default_model, alias.deadline_s, alias.chain = "two", None, []
        alias.save()
    alias.delete()
    names = "default_model, chain, deadline_ms, operation, ended_by, is_current, author, via, reason"
    found = [
        tuple(row.values())
        for row in rows(f"name = 'fast' AND object_id = {made.rows[0].object_id} ORDER BY revision", names)
    ]
    assert found == [
        ("one", "deep, two", 2500, "create", "change", 0, "tests", "CLI", "A test needs this row"),
        ("two", "", None, "change", "delete", 0, "ann", "API", "two is better"),
    ]
    times = rows("name = 'fast' ORDER BY revision", "valid_from, valid_to, revision, revision_to, is_enabled, project")
    at = [str(line.at.replace(tzinfo=None)) for line in Change.objects.order_by("revision")]
    assert [(row["valid_from"], row["valid_to"]) for row in times] == [(at[0], at[1]), (at[1], at[2])]
    assert times[0]["revision_to"] == times[1]["revision"] == made.revision
    assert (times[0]["is_enabled"], times[0]["project"]) == (None, None)


def test_history__columns_of_each_kind__have_their_types() -> None:
    at = datetime(2026, 11, 3, 10, 0, 0, 250_000, tzinfo=UTC)
    atlas = Project.objects.create(
        slug="atlas", external_id="ws-1", owner="ann", max_run_tokens=9, max_context_tokens=7
    )
    alias = Alias.objects.create(name="auto", kind="chat_mode", default_model="m", infer=False)
    Override.objects.create(alias=alias, model="n", starts_at=at, enabled=False, reason="trial")
    made = new_key()
    ApiKey.objects.create(key_id=made.key_id, sha256=made.sha256, name="ci", project=atlas, expires_at=at)
    Price.objects.create(model_id="m", valid_from=at, input_pico=5, version="v1")
    Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1", secret_ref="file:eu-key")
    found = {row["object_type"]: row for row in rows("is_current")}
    when = "2026-11-03 10:00:00.250000"
    project, override, key, price = (found[word] for word in ("project", "override", "key", "price"))
    assert (project["external_id"], project["owner"], project["max_run_tokens"], project["max_context_tokens"]) == (
        "ws-1",
        "ann",
        9,
        7,
    )
    assert (override["project"], override["alias"], override["model"], override["override_reason"]) == (
        "",
        "auto",
        "n",
        "trial",
    )
    assert (override["starts_at"], override["expires_at"], override["is_enabled"], override["is_infer"]) == (
        when,
        None,
        0,
        1,
    )
    assert (key["project"], key["scopes"], key["expires_at"], key["name"]) == (
        "atlas",
        "call, resolve",
        when,
        made.key_id,
    )
    assert (price["model"], price["price_starts_at"], price["input_pico"], price["price_version"]) == (
        "m",
        when,
        5,
        "v1",
    )
    assert (found["alias"]["is_infer"], found["alias"]["chain"]) == (0, "")
    assert (found["upstream"]["upstream"], found["upstream"]["base_url"]) == ("eu", "https://eu.example.com/v1")
    assert made.sha256 not in str(found)
    assert "eu-key" not in str(found)
