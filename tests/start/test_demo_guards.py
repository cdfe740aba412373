"""Where the demo refuses to run, and that its script is the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from iwrouting import catalogue
from iwrouting.conf import settings
from iwrouting.management.demo import guard
from iwrouting.management.demo.cast import KEYS, OVERRIDES, PROJECTS, prepare, retire
from iwrouting.management.demo.guard import MayNotRun, refuse_real_traffic
from iwrouting.management.demo.script import script
from iwrouting.models import Alias, ApiKey, Model, Override, Project, Upstream
from tests.audit_tables.rows import attempt, decision

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def scenes(calls: int, seed: int) -> list[str]:
    return [str(scene) for scene in script(list(catalogue.matrix()), calls, seed)]


def test_same_seed__same_calls() -> None:
    assert scenes(200, 1) == scenes(200, 1) != scenes(200, 2)


@pytest.mark.parametrize(("asked", "least", "most"), [(0, 60, 110), (60, 60, 110), (300, 300, 300)])
def test_number_of_calls__is_about_what_was_asked(asked: int, least: int, most: int) -> None:
    found = script(list(catalogue.matrix()), asked, 1)
    assert least <= sum(len(scene.calls) for scene in found) <= most


def test_every_alias_has_its_turn_and_every_key_exists() -> None:
    calls = [call for scene in script(list(catalogue.matrix()), 0, 5) for call in scene.calls]
    assert set(catalogue.matrix()) <= {call.body.get("model") for call in calls}
    assert {call.key for call in calls} <= set(KEYS)


def test_production__is_refused_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database is opened: this test may not use one."""
    production = settings().model_copy(update={"env": "production"})
    monkeypatch.setattr(guard, "settings", lambda: production)
    with pytest.raises(CommandError, match="IW_ENV=development"):
        call_command("demo")


@pytest.mark.django_db
def test_calls_of_a_real_provider__are_kept_apart_unless_forced() -> None:
    refuse_real_traffic(forced=False)
    attempt(decision(NOW), 1, 0, upstream="sandbox")
    refuse_real_traffic(forced=False)
    attempt(decision(NOW), 1, 0, upstream="openai")
    with pytest.raises(MayNotRun, match="--force"):
        refuse_real_traffic(forced=False)
    refuse_real_traffic(forced=True)


@pytest.mark.django_db
def test_model_with_an_upstream_of_its_own__is_never_called() -> None:
    upstream = Upstream.objects.create(slug="other", base_url="https://other.example/v1")
    Model.objects.create(model_id="far-away", endpoints=["chat"], upstream=upstream)
    for forced in (False, True):
        with pytest.raises(MayNotRun, match="far-away"):
            refuse_real_traffic(forced=forced)


@pytest.mark.django_db
def test_rows__are_made_once_and_keys_end_with_the_run() -> None:
    call_command("matrix_load")
    for _ in range(2):
        retire(prepare())
    assert Project.objects.filter(slug__startswith="demo-").count() == len(PROJECTS)
    assert Override.objects.count() == len(OVERRIDES)
    assert ApiKey.objects.filter(revoked_at=None).count() == 0


@pytest.mark.django_db
def test_override_of_somebody_else__is_left_alone() -> None:
    call_command("matrix_load")
    Override.objects.create(alias=Alias.objects.get(name="intent"), model="gpt-4.1", reason="ours")
    prepare()
    assert Override.objects.get(alias__name="intent", project=None).model == "gpt-4.1"
