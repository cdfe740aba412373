"""A row that no save would have let through refuses the whole snapshot, and is named."""

from __future__ import annotations

import math

import pytest
from django.core.exceptions import ValidationError

from iwrouting.conf import settings
from iwrouting.models import ApiKey, Upstream
from iwrouting.snapshot import SnapshotRefused, load
from tests.snapshot.malformed import spoil


@pytest.mark.parametrize(
    ("table", "column", "value", "fault"),
    [
        ("alias", "kind", "bogus", "alias blueprint: kind 'bogus' is not one of chat_mode, role, embedding"),
        ("alias", "chain", '"fast"', "alias blueprint: chain must be a list of names"),
        ("alias", "chain", "[1]", "alias blueprint: chain must be a list of names"),
        ("alias", "chain", '{"fast": 1}', "alias blueprint: chain must be a list of names"),
        ("alias", "default_model", " ", "alias blueprint: It has no default model"),
        ("model", "sampling", "x", "model gpt-4.1: sampling 'x' is not one of any, effort_none, never"),
        ("upstream", "idle_timeout_s", math.inf, "upstream far: idle_timeout_s must be a finite number"),
        ("model", "endpoints", '"chat"', "model gpt-4.1: endpoints must be a list of names"),
        ("model", "endpoints", "7", "model gpt-4.1: endpoints must be a list of names"),
        ("model", "completion_cap_param", "cap", "model gpt-4.1: completion_cap_param 'cap' is not one of"),
        ("apikey", "scopes", '"call"', "scopes must be a list of names"),
        ("apikey", "projects", "{}", "projects must be a list of names"),
        ("apikey", "projects", "[null]", "projects must be a list of names"),
        ("apikey", "allowed_models", '"gpt-4.1"', "allowed_models must be a list of names"),
    ],
)
def test_a_malformed_value_is_refused_by_name(table: str, column: str, value: str | float, fault: str) -> None:
    spoil(table, column, value)
    with pytest.raises(SnapshotRefused) as caught:
        load()
    assert fault in str(caught.value)


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
