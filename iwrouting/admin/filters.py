"""Filters of the configuration's lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from iwrouting.admin.price_rows import OLD_DAYS, price_states
from iwrouting.models import Price, Project

MOST_CHOICES = 50
ALL_PROJECTS = "*"


class ChoiceFilter(SimpleListFilter):
    """A filter by one value of the address. The value in force is always among the choices."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The choices, with the one in force."""
        value = self.value()
        if value is not None and value not in [str(choice) for choice, _ in self.lookup_choices]:
            self.lookup_choices.append((value, value))
        return super().choices(changelist)


def project_choices() -> list[tuple[str, str]]:
    """The first projects by slug; any other may be named in the address."""
    return [(slug, slug) for slug in Project.objects.values_list("slug", flat=True)[:MOST_CHOICES]]


class ScopeFilter(ChoiceFilter):
    """Overrides of one project, or those for all projects."""

    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All projects first."""
        return [(ALL_PROJECTS, "all projects"), *project_choices()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The overrides of the chosen scope."""
        if self.value() == ALL_PROJECTS:
            return queryset.filter(project__isnull=True)
        return queryset.filter(project__slug=self.value()) if self.value() else queryset


class StateFilter(ChoiceFilter):
    """Overrides by what they are now; `expiring` are those in force that end within seven days."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of an override."""
        states = ("in force", "expiring", "scheduled", "expired", "disabled")
        return [(state.replace(" ", "_"), f"{state} in 7 days" if state == "expiring" else state) for state in states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The overrides in the chosen state."""
        asked = override_states(timezone.now()).get(self.value() or "")
        return queryset.filter(asked) if asked is not None else queryset


def override_states(now: datetime) -> dict[str, Q]:
    """The resolver's rule for an override's state (`override_state`) as conditions of the database."""
    begun = Q(starts_at__isnull=True) | Q(starts_at__lte=now)
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    on = Q(enabled=True)
    return {
        "in_force": on & begun & lasting,
        "expiring": on & begun & lasting & Q(expires_at__lte=now + timedelta(days=7)),
        "scheduled": on & ~begun & lasting,
        "expired": on & ~lasting,
        "disabled": ~on,
    }


class ProjectFilter(ChoiceFilter):
    """Rows of one project, by its slug."""

    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The projects."""
        return project_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen project."""
        return queryset.filter(project__slug=self.value()) if self.value() else queryset


class KeyStateFilter(ChoiceFilter):
    """Keys by what they are now; `expiring` are active ones that end within 30 days."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a key."""
        return [
            ("active", "active"),
            ("expiring", "expiring in 30 days"),
            ("expired", "expired"),
            ("revoked", "revoked"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The keys in the chosen state."""
        asked = key_states(timezone.now()).get(self.value() or "")
        return queryset.filter(asked) if asked is not None else queryset


def key_states(now: datetime) -> dict[str, Q]:
    """A key's state as conditions of the database."""
    revoked = Q(revoked_at__lte=now)
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    active = (Q(revoked_at__isnull=True) | Q(revoked_at__gt=now)) & lasting
    return {
        "active": active,
        "expiring": active & Q(expires_at__lte=now + timedelta(days=30)),
        "expired": ~revoked & ~lasting,
        "revoked": revoked,
    }


class PriceStateFilter(ChoiceFilter):
    """Prices by what they are now; `missing` and `old` are some of those in force."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a price."""
        words = {"in_force": "in force", "old": f"older than {OLD_DAYS} days"}
        return [(state, words.get(state, state)) for state in price_states(timezone.now())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The prices in the chosen state."""
        asked = price_states(timezone.now()).get(self.value() or "")
        return queryset.filter(asked) if asked is not None else queryset


class PriceModelFilter(ChoiceFilter):
    """The prices of one model, by its id."""

    title = "model"
    parameter_name = "model_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The models that have prices."""
        ids = Price.objects.order_by("model_id").values_list("model_id", flat=True).distinct()
        return [(model_id, model_id) for model_id in ids[:MOST_CHOICES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The prices of the chosen model."""
        return queryset.filter(model_id=self.value()) if self.value() else queryset
