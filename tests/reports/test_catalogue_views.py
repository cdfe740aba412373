"""rpt_prices_v1, rpt_lifecycle_v1 and rpt_runs_v1 against rows whose answer is known by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from iwrouting.models import Alias, Model, Override, Price, Project, Run, RunReservation
from tests.audit_tables.reading import select

pytestmark = pytest.mark.django_db


def rows(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select(sql)]


def price(day: str, model: str = "m", **values: Any) -> Price:
    named: dict[str, Any] = {"input_pico": 2_000_000, "output_pico": 8_000_000, "version": day}
    return Price.objects.create(model_id=model, valid_from=datetime.fromisoformat(f"{day}T00:00Z"), **named | values)


def test_prices__of_one_kind__follow_each_other_without_a_gap() -> None:
    for day in ("2025-03-01", "2025-01-01", "2999-01-01"):
        price(day)
    price("2025-02-01", service_tier="flex")
    price("2025-02-01", above_input_tokens=200_000)
    price("2025-02-01", model="other")
    found = rows(
        "SELECT model, service_tier, above_input_tokens, valid_from, valid_to, is_current FROM rpt_prices_v1 "
        "ORDER BY model, service_tier, above_input_tokens, valid_from"
    )
    one, two, far = (f"{day} 00:00:00" for day in ("2025-01-01", "2025-03-01", "2999-01-01"))
    alone = "2025-02-01 00:00:00"
    assert found == [
        ("m", "default", 0, one, two, 0),
        ("m", "default", 0, two, far, 1),
        ("m", "default", 0, far, None, 0),
        ("m", "default", 200_000, alone, None, 1),
        ("m", "flex", 0, alone, None, 1),
        ("other", "default", 0, alone, None, 1),
    ]


def test_prices__in_pico_and_in_dollars__say_the_same() -> None:
    price("2025-01-01", cached_pico=None, cache_write_pico=1, source="list", is_manual=True)
    (row,) = select("SELECT * FROM rpt_prices_v1")
    assert (row["input_pico"], row["output_pico"], row["cached_pico"]) == (2_000_000, 8_000_000, None)
    assert (row["input_per_1m_usd"], row["output_per_1m_usd"]) == (2, 8)
    assert (row["cached_per_1m_usd"], row["cache_write_per_1m_usd"]) == (None, pytest.approx(1e-6))
    assert (row["price_version"], row["source"], row["is_manual"]) == ("2025-01-01", "list", 1)


def test_lifecycle__states_and_days__are_of_today() -> None:
    today = datetime.now(UTC).date()
    for name, days in (("dead", -3), ("today", 0), ("dying", 1), ("alive", None)):
        ends = None if days is None else today + timedelta(days=days)
        Model.objects.create(model_id=name, endpoints=["chat"], shutdown_date=ends, replacement="new", tier="small")
    Alias.objects.create(name="fast", kind="chat_mode", default_model="nobody-knows")
    found = rows("SELECT model, state, days_left, replacement, tier, is_enabled, upstream FROM rpt_lifecycle_v1")
    assert sorted(found) == [
        ("alive", "alive", None, "new", "small", 1, ""),
        ("dead", "dead", -3, "new", "small", 1, ""),
        ("dying", "dying", 1, "new", "small", 1, ""),
        ("nobody-knows", "unknown", None, None, None, None, None),
        ("today", "dead", 0, "new", "small", 1, ""),
    ]


def test_lifecycle__uses__are_defaults_rungs_and_overrides_that_hold_or_will() -> None:
    Model.objects.create(model_id="m", endpoints=["chat"])
    fast = Alias.objects.create(name="fast", kind="chat_mode", default_model="m", chain=["code", "m"])
    code = Alias.objects.create(name="code", kind="chat_mode", default_model="other", chain=["m", "fast"])
    projects = [Project.objects.create(slug=f"p{number}") for number in range(4)]
    now, day = timezone.now(), timedelta(days=1)
    Override.objects.create(alias=code, model="m")
    Override.objects.create(alias=code, project=projects[0], model="m", starts_at=now + day)
    Override.objects.create(alias=code, project=projects[1], model="m", expires_at=now - day)
    Override.objects.create(alias=code, project=projects[2], model="m", enabled=False)
    Override.objects.create(alias=fast, project=projects[3], model="third")
    found = rows(
        "SELECT model, used_by_defaults, used_by_overrides, used_by_rungs, used_by FROM rpt_lifecycle_v1 ORDER BY model"
    )
    assert found == [("m", 1, 2, 2, "code, fast"), ("other", 1, 0, 0, "code"), ("third", 0, 1, 0, "fast")]


def test_runs__limits_reservations_and_raises() -> None:
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    Project.objects.create(slug="atlas", max_run_tokens=1_000)
    seen = {"first_seen_at": at, "last_seen_at": at + timedelta(hours=1)}
    raised = Run.objects.create(project="atlas", run_id="raised", used_tokens=700, refused_calls=2, **seen)
    for tokens in (100, 50):
        RunReservation.objects.create(decision_id=uuid4(), run=raised, tokens=tokens, expires_at=at)
    raised.raise_limit(reason="a first time", by="ann", via="CLI", to=1_500)
    raised.raise_limit(reason="and again", by="bob", via="CLI", more=500)
    Run.objects.create(project="atlas", run_id="plain", used_tokens=1, **seen)
    Run.objects.create(project="nobody", run_id="free", used_tokens=5, **seen)
    names = "run_id, project, limit_tokens, limit_from, used_tokens, reserved_tokens, left_tokens, refused_calls"
    found = rows(f"SELECT {names}, raises, raised_by, raise_reason FROM rpt_runs_v1 ORDER BY run_id")  # noqa: S608
    assert found == [
        ("free", "nobody", None, "deployment", 5, 0, None, 0, 0, None, None),
        ("plain", "atlas", 1_000, "project", 1, 0, 999, 0, 0, None, None),
        ("raised", "atlas", 2_000, "run", 700, 150, 1_150, 2, 2, "bob", "and again"),
    ]
    (times,) = rows("SELECT first_seen_at, last_seen_at, raised_at FROM rpt_runs_v1 WHERE run_id = 'raised'")
    assert times[:2] == ("2026-11-03 10:00:00", "2026-11-03 11:00:00")
    assert times[2] == str(raised.raises.latest("id").at.replace(tzinfo=None))
