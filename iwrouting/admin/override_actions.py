"""What can be done to several overrides at once: more time, another end, the same for another project (ux.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from iwrouting.admin.actions import CONFIRMED, Doing, SwitchableAdmin, confirm
from iwrouting.models import OpenChange, Override, Project

MORE = timedelta(days=7)
PASSED = "This time has passed: enter a later one, or leave it empty to keep the overrides."


class ExpiryForm(forms.Form):
    """When the chosen overrides are to end."""

    expires_at = forms.DateTimeField(
        label="Expires at (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="No longer in force from then on. Empty: kept for good.",
    )

    def clean_expires_at(self) -> datetime | None:
        """Refuse a time that has passed."""
        found: datetime | None = self.cleaned_data["expires_at"]
        if found is not None and found <= timezone.now():
            raise ValidationError(PASSED)
        return found


class ProjectForm(forms.Form):
    """Which project is to have the same overrides."""

    project = forms.ModelChoiceField(
        Project.objects.all(), help_text="It gets a copy of each, unless it has one of that alias already."
    )


class OverrideActions(SwitchableAdmin[Override]):
    """The actions of the list of overrides."""

    actions = ("enable", "disable", "extend", "set_expiry", "copy_to_project")

    @admin.action(description="Extend by 7 days", permissions=["change"])
    def extend(self, request: HttpRequest, queryset: QuerySet[Override]) -> HttpResponse | None:
        """Seven days more for those that end: from their end on, or from now on where that has passed."""
        rows = list(queryset.exclude(expires_at=None))

        def later(row: Override) -> datetime:
            now = timezone.now()
            return (max(row.expires_at, now) if row.expires_at else now) + MORE

        note = "Those without an end are left out."
        return self._end(request, rows, later, partial(Doing, "extend", "Extend by 7 days", note=note))

    @admin.action(description="Set expiry", permissions=["change"])
    def set_expiry(self, request: HttpRequest, queryset: QuerySet[Override]) -> HttpResponse | None:
        """One end for all that are chosen."""
        form = ExpiryForm(request.POST if CONFIRMED in request.POST else None)
        doing = partial(Doing, "set_expiry", "Set the expiry of", form=form)
        return self._end(request, list(queryset), lambda _row: form.cleaned_data["expires_at"], doing)

    def _end(
        self,
        request: HttpRequest,
        rows: list[Override],
        end: Callable[[Override], datetime | None],
        doing: Callable[..., Doing],
    ) -> HttpResponse | None:
        def act(_made: OpenChange) -> str:
            for row in rows:
                row.expires_at = end(row)
                row.save()
                self.log_change(request, row, [{"changed": {"fields": ["Expires at"]}}])
            return f"Set the expiry of {self.counted(rows)}."

        return confirm(self, request, rows, doing(act=act))

    @admin.action(description="Copy to project", permissions=["add"])
    def copy_to_project(self, request: HttpRequest, queryset: QuerySet[Override]) -> HttpResponse | None:
        """The same overrides for one more project."""
        rows = list(queryset)
        form = ProjectForm(request.POST if CONFIRMED in request.POST else None)

        def act(_made: OpenChange) -> str:
            for row in rows:
                self.log_addition(request, _copied(row, form.cleaned_data["project"]), [{"added": {}}])
            return f"Copied {self.counted(rows)} to {form.cleaned_data['project']}."

        return confirm(self, request, rows, Doing("copy_to_project", "Copy", act, form))


def _copied(row: Override, project: Project) -> Override:
    """A copy for a project. Raises ValidationError that says which override it has of that alias already."""
    kept: dict[str, Any] = {
        field.name: getattr(row, field.name)
        for field in row._meta.concrete_fields
        if field.name not in ("id", "project", "created_at", "updated_at")
    }
    if Override.objects.filter(alias=row.alias, project=project).exists():
        raise ValidationError(f"The project {project} has an override of {row.alias} already: edit that one.")
    made = Override(**kept, project=project)
    made.save()
    return made
