"""rpt_changes_v1: one row a changed field, and nothing of secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from iwrouting.models import Alias, ApiKey, Change, Override, Project, Upstream, change, new_key
from iwrouting.types import ChangeKind, Via
from tests.audit_tables.reading import select

pytestmark = pytest.mark.django_db

FIELDS = "object_type, name, project, alias, operation, field, old_value, new_value"
AT = datetime(2026, 11, 3, 10, tzinfo=UTC)


def rows(where: str, names: str = FIELDS) -> list[tuple[Any, ...]]:
    found = select(
        f"SELECT {names} FROM rpt_changes_v1 WHERE {where} ORDER BY change_id, object_type, object_id, field"  # noqa: S608
    )
    return [tuple(row.values()) for row in found]


def line(kind: ChangeKind, **details: Any) -> Change:
    return Change.objects.create(
        at=AT, kind=kind, author="iwrouting", via=Via.SERVICE, reason="it happened", details=json.dumps(details)
    )


def test_change__of_one_row__has_a_row_a_field() -> None:
    alias = Alias.objects.create(name="manager", kind="role", default_model="gpt-4.1", chain=["auto", "gpt-4.1-mini"])
    with change(author="ann", via=Via.API, reason="gpt-5.1 is cheaper") as made:
        alias.default_model, alias.chain, alias.deadline_s, alias.infer = "gpt-5.1", [], 2.5, False
        alias.save()
    number = f"revision = {made.revision}"
    assert rows(number) == [
        ("alias", "manager", None, "manager", "change", "chain", "auto, gpt-4.1-mini", ""),
        ("alias", "manager", None, "manager", "change", "deadline_s", None, "2.5"),
        ("alias", "manager", None, "manager", "change", "default_model", "gpt-4.1", "gpt-5.1"),
        ("alias", "manager", None, "manager", "change", "infer", "true", "false"),
    ]
    (told, *others) = rows(number, "kind, author, via, reason, object_id, change_id, changed_at")
    stored = Change.objects.get(revision=made.revision)
    assert told[:-1] == ("configuration", "ann", "API", "gpt-5.1 is cheaper", alias.pk, stored.pk)
    assert told[-1] == str(stored.at.replace(tzinfo=None))
    assert others == [told] * 3


def test_change__of_several_rows__tells_each_by_its_project_and_alias() -> None:
    alias = Alias.objects.create(name="code", kind="chat_mode", default_model="gpt-5.1")
    with change(author="ann", via=Via.CLI, reason="Atlas wants another") as made:
        atlas = Project.objects.create(slug="atlas")
        Override.objects.create(alias=alias, project=atlas, model="gpt-4.1")
        Override.objects.create(alias=alias, model="gpt-4.1-mini")
    found = rows(f"revision = {made.revision} AND field IN ('model', 'slug')")
    assert found == [
        ("override", "code for atlas", "atlas", "code", "create", "model", None, "gpt-4.1"),
        ("override", "code for all projects", "", "code", "create", "model", None, "gpt-4.1-mini"),
        ("project", "atlas", "atlas", None, "create", "slug", None, "atlas"),
    ]


def test_change__a_delete__is_one_row_without_fields() -> None:
    project = Project.objects.create(slug="gone")
    project.delete()
    assert rows("operation = 'delete'") == [("project", "gone", "gone", None, "delete", None, None, None)]


def test_secrets__hashes_and_references__stand_nowhere() -> None:
    project, made = Project.objects.create(slug="atlas"), new_key()
    ApiKey.objects.create(key_id=made.key_id, sha256=made.sha256, name="ci", project=project)
    upstream = Upstream.objects.create(slug="eu", base_url="https://eu.example/v1", secret_ref="file:eu-key")
    upstream.secret_ref = "file:other-key"
    upstream.save()
    told = str(select("SELECT * FROM rpt_changes_v1"))
    assert made.sha256 not in told
    assert "-key'" not in told
    assert rows("object_type = 'key' AND field = 'sha256'") == []
    assert rows("object_type = 'key' AND field IN ('name', 'scopes')", "project, field, new_value") == [
        ("atlas", "name", "ci"),
        ("atlas", "scopes", "call, resolve"),
    ]
    assert rows("field = 'secret_ref'", "operation, old_value, new_value") == [
        ("create", None, None),
        ("change", None, None),
    ]


def test_environment__each_variable__is_a_row() -> None:
    changed = {"OPENAI_MODEL_FAST": [None, "gpt-4.1"], "OPENAI_MODEL_CODE": ["gpt-5.1", ""]}
    line(ChangeKind.ENVIRONMENT, host="app1", changed=changed, **{"from": "e1", "to": "e2"})
    assert rows("kind = 'environment'", f"revision, object_id, {FIELDS}") == [
        (None, None, "environment", "app1", None, None, None, "OPENAI_MODEL_CODE", "gpt-5.1", ""),
        (None, None, "environment", "app1", None, None, None, "OPENAI_MODEL_FAST", None, "gpt-4.1"),
    ]


def test_lines_without_rows__stand_once() -> None:
    line(ChangeKind.SCHEDULE, object_type="override", object_id=7, name="code for atlas", what="starts", revision=3)
    line(ChangeKind.ADOPTION)
    assert rows("revision IS NULL", f"kind, object_id, {FIELDS}") == [
        ("schedule", 7, "override", "code for atlas", *[None] * 6),
        ("adoption", None, *[None] * 8),
    ]
