"""rpt_keys_v1: what a key may do, and when it was last used, whether or not its calls have been summed up."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from iwrouting.models import ApiKey, Project, new_key
from iwrouting.models.usage import HOUR
from iwrouting.reports.usage.cover import begin_of
from iwrouting.reports.usage.rolling import roll
from tests.audit_tables.reading import select
from tests.audit_tables.rows import decision, outcome

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 3, 22, 20, tzinfo=UTC)


def key(name: str, **values: Any) -> ApiKey:
    made = new_key()
    project, _ = Project.objects.get_or_create(slug="atlas")
    return ApiKey.objects.create(key_id=made.key_id, sha256=made.sha256, name=name, project=project, **values)


def rows(names: str) -> dict[str, tuple[Any, ...]]:
    return {row["name"]: tuple(row.values())[1:] for row in select(f"SELECT name, {names} FROM rpt_keys_v1")}  # noqa: S608


def call(of: ApiKey, at: datetime, result: str = "ok") -> None:
    outcome(decision(at, key_id=of.key_id), result)


def test_keys__grants_and_states__as_text() -> None:
    now, day = timezone.now(), timedelta(days=1)
    key("plain", created_by="ann")
    key("wide", projects=["*"], scopes=["call"], allowed_aliases=["fast", "code"], allowed_models=[])
    key("expired", expires_at=now - day)
    key("revoked", expires_at=now - day, revoked_at=now - day)
    key("later", expires_at=now + day, revoked_at=now + day)
    found = rows("project, projects, scopes, allowed_aliases, allowed_models, state, created_by")
    assert found["plain"] == ("atlas", "", "call, resolve", None, None, "active", "ann")
    assert found["wide"] == ("atlas", "*", "call", "fast, code", "", "active", "")
    assert {name: row[5] for name, row in found.items() if name not in ("plain", "wide")} == {
        "expired": "expired",
        "revoked": "revoked",
        "later": "active",
    }


def test_keys__the_hash__stands_nowhere() -> None:
    made = key("plain")
    assert made.sha256 not in str(select("SELECT * FROM rpt_keys_v1"))


def test_last_use__open_decisions_and_looks__are_none() -> None:
    made = key("quiet")
    decision(AT, key_id=made.key_id)
    outcome(decision(AT, key_id=made.key_id, endpoint="responses.get"), "ok")
    assert rows("last_used_at") == {"quiet": (None,)}
    call(made, AT, "refused")
    assert rows("last_used_at") == {"quiet": ("2026-11-03 22:00:00",)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_last_use__whatever_was_summed_up__is_the_hour_of_the_last_call(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's choices
    keys = [key(f"key-{number}") for number in range(3)]
    last: dict[str, datetime] = {}
    for _ in range(12):
        at = AT + timedelta(minutes=chance.randrange(0, 3 * 24 * 60))
        made = chance.choice(keys)
        call(made, at)
        last[made.name] = max(at, last.get(made.name, at))
        if chance.random() < 0.4:
            before = chance.choice([None, AT + timedelta(hours=chance.randrange(72))])
            roll(lambda _line: None, before=before)
        told = {name: found for name, (found,) in rows("last_used_at").items() if found is not None}
        assert told == {name: str(begin_of(moment, HOUR).replace(tzinfo=None)) for name, moment in last.items()}
