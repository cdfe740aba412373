"""A row that no save would have let through refuses the whole snapshot, and is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from iwrouting.conf import settings
from iwrouting.models import Alias, ApiKey, Model, Override, Project, Upstream, new_key
from iwrouting.snapshot import SnapshotRefused, load

ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's columns take no other type")


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    """One row of each kind, all in order."""
    atlas = Project(slug="atlas")
    atlas.save()
    far = Upstream(slug="far", base_url="https://far.example/v1")
    far.save()
    Model(model_id="gpt-4.1", endpoints=["chat"], upstream=far).save()
    alias = Alias(name="blueprint", kind="role", default_model="gpt-4.1", chain=["fast"])
    alias.save()
    Override(alias=alias, project=atlas, model="gpt-4.1", starts_at=datetime.now(UTC)).save()
    made = new_key()
    ApiKey(key_id=made.key_id, sha256=made.sha256, name="test", project=atlas).save()
    assert load().aliases["blueprint"].chain == ("fast",)


def spoil(table: str, column: str, value: str | bytes | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE iwrouting_{table} SET {column} = %s", [value])  # noqa: S608 - names of our own


@pytest.mark.parametrize(
    ("table", "column", "value", "fault"),
    [
        ("alias", "kind", "bogus", "alias blueprint: kind 'bogus' is not one of chat_mode, role, embedding"),
        ("alias", "chain", '"fast"', "alias blueprint: chain must be a list of names"),
        ("alias", "chain", "[1]", "alias blueprint: chain must be a list of names"),
        ("alias", "chain", '{"fast": 1}', "alias blueprint: chain must be a list of names"),
        ("alias", "default_model", " ", "alias blueprint has no default model"),
        ("model", "sampling", "x", "model gpt-4.1: sampling 'x' is not one of any, effort_none, never"),
        ("model", "endpoints", '"chat"', "model gpt-4.1: endpoints must be a list of names"),
        ("model", "endpoints", "7", "model gpt-4.1: endpoints must be a list of names"),
        ("model", "completion_cap_param", "cap", "model gpt-4.1: completion_cap_param 'cap' is not one of"),
        ("apikey", "scopes", '"call"', "scopes must be a list of names"),
        ("apikey", "projects", "{}", "projects must be a list of names"),
        ("apikey", "projects", "[null]", "projects must be a list of names"),
        ("apikey", "allowed_models", '"gpt-4.1"', "allowed_models must be a list of names"),
    ],
)
def test_a_malformed_value_is_refused_by_name(table: str, column: str, value: str, fault: str) -> None:
    spoil(table, column, value)
    with pytest.raises(SnapshotRefused) as caught:
        load()
    assert fault in str(caught.value)


@ON_SQLITE
@pytest.mark.parametrize(
    ("table", "column", "value", "fault"),
    [
        ("alias", "name", b"\x00", "name must be a text"),
        ("model", "context_window", "wide", "model gpt-4.1: context_window must be a whole number"),
        ("model", "shutdown_date", "2026-13-45", "model gpt-4.1: shutdown_date can't be read"),
        ("upstream", "idle_timeout_s", "long", "upstream far: idle_timeout_s must be a number"),
        ("override", "starts_at", "2026-13-45 00:00:00", "starts_at can't be read"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(table: str, column: str, value: str | bytes, fault: str) -> None:
    spoil(table, column, value)
    with pytest.raises(SnapshotRefused) as caught:
        load()
    assert fault in str(caught.value)


@ON_SQLITE
def test_an_override_of_a_project_that_is_gone_does_not_become_a_global_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
    spoil("override", "project_id", 4711)
    with pytest.raises(SnapshotRefused, match="its project does not exist"):
        load()
    spoil("override", "project_id", Project.objects.get().pk)


def test_the_fault_of_a_project_or_a_key_names_neither() -> None:
    spoil("apikey", "scopes", '"call"')
    with pytest.raises(SnapshotRefused) as caught:
        load()
    row = ApiKey.objects.get()
    assert str(caught.value).startswith(f"API key {row.pk}: ")
    assert row.key_id not in str(caught.value)


def test_the_environments_upstream_does_not_replace_one_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    named = settings().model_copy(update={"upstream_name": "far"})
    monkeypatch.setattr("iwrouting.snapshot.builtin.settings", lambda: named)
    with pytest.raises(SnapshotRefused) as caught:
        load()
    assert str(caught.value).startswith("upstream far of the database has the name of the environment's upstream")
    assert "IW_UPSTREAM_NAME" in str(caught.value)
    monkeypatch.setattr("iwrouting.models.targets.settings", lambda: named)
    with pytest.raises(ValidationError, match="'far' is the name of an upstream that the environment defines"):
        Upstream.objects.get().full_clean()
    Upstream(slug="near", base_url="https://near.example/v1").full_clean()
