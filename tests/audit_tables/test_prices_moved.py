"""Prices move out of the models' table into dated rows, and back, with nothing lost that both can say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from iwrouting.models import Price
from iwrouting.types import ALWAYS

COLUMNS = ("input_pico", "cached_pico", "output_pico", "price_ceiling_input_tokens", "price_version")
MODELS = {
    "gpt-4.1": (2_000_000, 500_000, 8_000_000, None, "catalogue 2026-11-22"),
    "gpt-6-luna": (100_000, 10_000, 500_000, 272_000, "edited 2026-11-01T10:00:00Z"),
    "embedder": (20_000, None, None, None, "x" * 64),
    "unknown": (None, None, None, None, ""),
}


def migrate(database: str, target: str) -> Any:
    """Migrate to a migration, and give the models as they are there."""
    call_command("migrate", "iwrouting", target, database=database, verbosity=0)
    executor = MigrationExecutor(connections[database])
    return executor.loader.project_state([("iwrouting", target)]).apps


def models_of(database: str, apps: Any) -> dict[str, tuple[Any, ...]]:
    rows = apps.get_model("iwrouting", "Model").objects.using(database)
    return {row.model_id: tuple(getattr(row, name) for name in COLUMNS) for row in rows.all()}


@pytest.fixture
def filled(own: str) -> str:
    """A database of the former version with models and their prices."""
    rows = migrate(own, "0004_gateway").get_model("iwrouting", "Model").objects.using(own)
    for model_id, values in MODELS.items():
        rows.create(model_id=model_id, source="a page", **dict(zip(COLUMNS, values, strict=True)))
    return own


def test_migrate__models_with_prices__become_dated_rows(filled: str) -> None:
    migrate(filled, "0005_prices")
    found = {(row.model_id, row.above_input_tokens): row for row in Price.objects.using(filled)}
    assert set(found) == {("gpt-4.1", 0), ("gpt-6-luna", 0), ("gpt-6-luna", 272_000), ("embedder", 0)}
    assert {row.valid_from for row in found.values()} == {ALWAYS}
    assert {row.source for row in found.values()} == {"a page"}
    luna, above = found["gpt-6-luna", 0], found["gpt-6-luna", 272_000]
    assert (luna.input_pico, luna.cached_pico, luna.output_pico, luna.is_manual) == (100_000, 10_000, 500_000, True)
    assert (above.input_pico, above.cached_pico, above.output_pico) == (None, None, None)
    assert (found["gpt-4.1", 0].version, found["gpt-4.1", 0].is_manual) == ("catalogue 2026-11-22", False)
    assert found["embedder", 0].version == "x" * 32


def test_migrate__back__puts_the_prices_in_force_beside_their_models(filled: str) -> None:
    migrate(filled, "0007_config_history")
    now = datetime.now(UTC)
    values = {"cached_pico": 2, "output_pico": 3, "version": "later"}
    Price(model_id="gpt-4.1", valid_from=now, input_pico=1, **values).save(using=filled)
    Price(model_id="gpt-4.1", valid_from=now + timedelta(days=9), input_pico=9, **values).save(using=filled)
    Price(model_id="gpt-4.1", valid_from=now, service_tier="flex", input_pico=8, **values).save(using=filled)
    back = models_of(filled, migrate(filled, "0004_gateway"))
    assert back == {**MODELS, "gpt-4.1": (1, 2, 3, None, "later"), "embedder": (20_000, None, None, None, "x" * 32)}


@pytest.mark.parametrize("field", ["input_pico", "cached_pico", "cache_write_pico", "output_pico"])
@pytest.mark.django_db
def test_price__below_zero__is_refused_by_the_database(field: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.create(model_id="gpt-4.1", valid_from=ALWAYS, **{field: -1})


def test_migrate__groups_that_an_administrator_cleared__get_no_price_permission(own: str) -> None:
    migrate(own, "0004_gateway")
    Group.objects.using(own).get(name="Editor").permissions.clear()
    seeing = Permission.objects.using(own).filter(codename__in=["view_model", "change_model"])
    Group.objects.using(own).get(name="Operator").permissions.set(seeing)
    migrate(own, "0005_prices")
    granted = {
        name: set(
            Group.objects.using(own)
            .get(name=name)
            .permissions.filter(codename__endswith="_price")
            .values_list("codename", flat=True)
        )
        for name in ("Viewer", "Operator", "Editor", "Auditor")
    }
    assert granted == {"Viewer": {"view_price"}, "Operator": {"view_price"}, "Editor": set(), "Auditor": set()}
