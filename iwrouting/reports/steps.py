"""What happens to the views, to SQLite's triggers and to the configuration's history around a `migrate`."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import connections, transaction
from django.db.migrations import Migration
from django.db.models import Model
from django.db.models.signals import post_migrate, pre_migrate

from iwrouting.models import (
    Attempt,
    Change,
    Decision,
    EnvironmentSnapshot,
    HistoryRow,
    LabelCell,
    Outcome,
    Revision,
    Run,
    RunRaise,
    RunReservation,
    UsageCell,
    UsageMark,
    UsageState,
    Writer,
)
from iwrouting.models.contents import CONFIGURATION
from iwrouting.models.remembering import begin_history
from iwrouting.reports import guards, views

Plan = Sequence[tuple[Migration, bool]]

REMEMBERED: tuple[type[Model], ...] = (Change, HistoryRow, Revision, *CONFIGURATION.values())
"""The tables that the history of this release reads."""

SHOWN: tuple[type[Model], ...] = (
    *(Decision, Attempt, Outcome, EnvironmentSnapshot),
    *(UsageCell, LabelCell, UsageMark, UsageState),
    *(Run, RunReservation, RunRaise, Writer),
    *REMEMBERED,
)
"""The tables that its views show."""

_grants: dict[str, list[str]] = {}
"""By database: the GRANT statements of views that were dropped and not made again yet."""


def connect_views() -> None:
    """Drop the views before a migrate that changes our tables; make views and missing triggers after each migrate."""
    sender = apps.get_app_config("iwrouting")
    pre_migrate.connect(_before, sender=sender, dispatch_uid="iwrouting.reports")
    post_migrate.connect(_after, sender=sender, dispatch_uid="iwrouting.reports")


def _before(*, using: str, plan: Plan, **_: object) -> None:
    # SQLite alters no table while a view stands on it; PostgreSQL changes no type of a column that a view shows.
    if any(migration.app_label == "iwrouting" for migration, _backwards in plan):
        # Added to: tables of an older state have no views, whose grants still wait for the way back.
        _grants[using] = _grants.get(using, []) + views.drop(connections[using])


def _after(*, sender: AppConfig, using: str, plan: Plan | None = None, **context: object) -> None:
    if plan is None:  # sent by flush, which changes no table
        return
    connection = connections[using]
    if connection.vendor == "sqlite":
        guards.restore(connection)
    state = context.get("apps")
    if not isinstance(state, Apps):
        return
    if _are_current(state, sender.label, SHOWN):
        views.create(connection, _grants.pop(using, []))
    if _are_current(state, sender.label, REMEMBERED):
        with transaction.atomic(using=using):
            begin_history(using)


def _are_current(state: Apps, label: str, wanted: Sequence[type[Model]]) -> bool:
    """Whether the migrated tables have the columns that this release has."""
    for model in wanted:
        migrated = state.all_models[label].get(model._meta.model_name or "")
        if migrated is None or _columns(migrated) != _columns(model):
            return False
    return True


def _columns(model: type[Model]) -> set[str | None]:
    return {field.column for field in model._meta.local_fields}
