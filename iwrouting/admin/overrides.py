"""Overrides: exceptions to the defaults, meant to end."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.base import plain
from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.effective import Effective
from iwrouting.admin.fields import WIDE, model_id_field
from iwrouting.admin.filters import ScopeFilter, StateFilter
from iwrouting.admin.override_actions import OverrideActions
from iwrouting.admin.show import admin_url, badge, link, moment, on_off
from iwrouting.admin.typed import P, TypedForm, TypedInline
from iwrouting.admin.whatif import WhatIfAdmin
from iwrouting.models import Override
from iwrouting.resolver.ladder import override_state
from iwrouting.types import OverrideFacts, State

DEFAULT_DAYS = 30
MOST_ROWS = 50
"""A longer table would hold more fields than a form may send (Django's DATA_UPLOAD_MAX_NUMBER_FIELDS)."""

ROW = ("model", "enabled", "expires_at", "reason", "state")
"""The fields of an override as a row on another page."""

STATES = {
    State.USED: badge("in force", "good"),
    State.SCHEDULED: badge("scheduled", "info"),
    State.EXPIRED: badge("expired"),
    State.DISABLED: badge("disabled"),
    State.BLANK: badge("blank", "bad"),
}


def state_badge(override: Override) -> SafeString:
    """What an override is now, by the resolver's own rule."""
    facts = OverrideFacts(
        ref="",
        alias="",
        project=None,
        model=override.model,
        enabled=override.enabled,
        starts_at=override.starts_at,
        expires_at=override.expires_at,
    )
    return STATES[override_state(facts, timezone.now())]


class OverrideForm(TypedForm[Override]):
    """The form of an override, alone or as a row on the page of its alias or project."""

    model = model_id_field("The model that serves instead.")

    class Meta:
        model = Override
        fields = "__all__"
        widgets = {"reason": forms.TextInput(attrs={"size": WIDE})}
        labels = {"reason": "Why it exists"}
        help_texts = {
            "reason": "Why this override exists: people read it beside the override as long as it stands.",
            "serving": "What the resolver answers now, for this alias and project.",
            "otherwise": "What it would answer if this override were disabled.",
            "state": "In force only while it is enabled and between its two times.",
        }

    def clean_expires_at(self) -> Any:
        """Refuse a new expiry that has passed."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and "expires_at" in self.changed_data and expires_at <= timezone.now():
            raise ValidationError("This time has passed: enter a later one, or leave it empty to keep the override.")
        return expires_at

    def clean(self) -> dict[str, Any]:
        """Refuse a second override of the same scope, naming the first."""
        values = super().clean() or self.cleaned_data
        alias = values.get("alias")
        if alias is None or alias.pk is None:
            return values
        twin = Override.objects.filter(alias=alias, project=values.get("project")).exclude(pk=self.instance.pk).first()
        if twin is not None:
            self.add_error("alias", _twin_error(twin))
        return values


def _twin_error(twin: Override) -> SafeString:
    scope = f"The project {twin.project}" if twin.project else "Every project"
    there = link(admin_url("override", "change", twin.pk), twin.model)
    return format_html("{} has an override of {} already ({}): edit that one.", scope, twin.alias, there)


class OverrideRowForm(OverrideForm):
    """The form as one row of a table."""

    model = model_id_field("The model that serves instead.", size=18)

    class Meta(OverrideForm.Meta):
        widgets = {"reason": forms.TextInput(attrs={"size": 24})}


class DeleteBox(forms.CheckboxInput):
    """The box that deletes a row, with a label: the table has none beside it."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"aria-label": "Delete this override", **(attrs or {})})


class OverrideRows(forms.BaseInlineFormSet):  # type: ignore[type-arg] # takes no argument at run time
    """The rows of the table."""

    deletion_widget = DeleteBox


class OverrideInline(TypedInline[Override, P]):
    """Overrides on the page of their alias or project."""

    model = Override
    form = OverrideRowForm
    formset = OverrideRows
    extra = 0
    show_change_link = True
    readonly_fields = ("state", "expires")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field as in a form of its own, with its label on the box: the table has none beside it."""
        field = plain(super().formfield_for_dbfield(db_field, request, **kwargs))
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Override]:
        """With what their rows name."""
        return super().get_queryset(request).select_related("alias", "project")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The columns, with a readable time for people who may only view."""
        fields = super().get_fields(request, obj)
        if self.has_change_permission(request, obj):
            return fields
        return ["expires" if field == "expires_at" else field for field in fields]

    @admin.display(description="Expires (UTC)")
    def expires(self, override: Override) -> SafeString | str:
        """Until when."""
        return moment(override.expires_at)

    @admin.display(description="State")
    def state(self, override: Override) -> SafeString | str:
        """What it is now; nothing for a row not saved yet."""
        return state_badge(override) if override.pk else ""


class HoldsOverrides(ConfigAdmin[P]):
    """Pages with the table of the overrides of their alias or project, as long as a form can hold it.

    `listed` names the row in the address of the list of overrides: parameter and attribute.
    """

    listed: tuple[str, str]

    def get_inlines(self, request: HttpRequest, obj: P | None) -> Any:
        """The table, where it is not too long."""
        return () if self._is_long(obj) else super().get_inlines(request, obj)

    def left_out(self, obj: P | None) -> SafeString | str:
        """Where its overrides are, if not on the page."""
        if obj is None or not self._is_long(obj):
            return ""
        parameter, attribute = self.listed
        url = f"{admin_url('override', 'changelist')}?{parameter}={getattr(obj, attribute)}"
        return format_html("Its more than {} overrides are edited in {}.", MOST_ROWS, link(url, "their own list"))

    def _is_long(self, obj: Any) -> bool:
        return obj is not None and obj.pk is not None and obj.overrides.count() > MOST_ROWS


class OverrideColumns:
    """The columns of one list that need the configuration."""

    @cached_property
    def effective(self) -> Effective:
        """One reading for all rows."""
        return Effective()

    @admin.display(description="Model", ordering="model")
    def model_shown(self, override: Override) -> SafeString:
        """The model, with what is to be known of its life."""
        life = self.effective.lifecycle(override.model)
        return format_html('<span class="iw-model">{}</span> {}', override.model, life)


class OverrideAdmin(WhatIfAdmin[Override], OverrideActions):
    """The list and the form of overrides."""

    form = OverrideForm
    shown_as = {"starts_at": "starts", "expires_at": "expires"}
    list_filter = (StateFilter, "enabled", ScopeFilter, ("alias", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("alias", "project")
    search_fields = ("alias__name", "project__slug", "model", "reason")
    search_help_text = "Alias, project, model or reason."
    empty_note = "Every project follows the defaults. Add an override only where one differs."
    fieldsets = (
        (None, {"fields": ("alias", "project", "model", "infer", "reason")}),
        ("When", {"fields": ("enabled", "starts_at", "expires_at")}),
    )
    delete_words = "Clear"
    effect = ("Effect now", {"fields": ("state", "serving", "otherwise")})
    readonly_fields = ("state", "serving", "otherwise", "starts", "expires")

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, with one reading of the configuration for them."""
        model_shown = OverrideColumns().model_shown
        return ("scope", "alias", model_shown, "switch", "state", "starts", "expires", "reason", "updated")

    def get_fieldsets(self, request: HttpRequest, obj: Override | None = None) -> Any:
        """What serves now stands first once there is something to compare."""
        parts = tuple(super().get_fieldsets(request, obj))
        return (self.effect, *parts) if obj is not None else parts

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new override ends after 30 days unless its expiry is cleared."""
        end = (timezone.now() + timedelta(days=DEFAULT_DAYS)).replace(microsecond=0)
        return {"expires_at": end, **super().get_changeform_initial_data(request)}

    @admin.display(description="Project", ordering="project__slug")
    def scope(self, override: Override) -> SafeString | str:
        """For whom."""
        return override.project.slug if override.project else badge("all projects", "info")

    @admin.display(description="Enabled", ordering="enabled")
    def switch(self, override: Override) -> SafeString:
        """The switch."""
        return on_off(override.enabled)

    @admin.display(description="State now")
    def state(self, override: Override) -> SafeString:
        """What it is now."""
        return state_badge(override)

    @admin.display(description="Starts (UTC)", ordering="starts_at")
    def starts(self, override: Override) -> SafeString | str:
        """From when on."""
        return moment(override.starts_at)

    @admin.display(description="Expires (UTC)", ordering="expires_at")
    def expires(self, override: Override) -> SafeString | str:
        """Until when."""
        return moment(override.expires_at)

    @admin.display(description="Updated (UTC)", ordering="updated_at")
    def updated(self, override: Override) -> SafeString | str:
        """When it was last saved."""
        return moment(override.updated_at)

    @admin.display(description="Serving now")
    def serving(self, override: Override) -> SafeString:
        """What the resolver answers."""
        return Effective().cell(override.alias.name, override.project.slug if override.project else None)

    @admin.display(description="Without it")
    def otherwise(self, override: Override) -> SafeString:
        """What it would answer without this row."""
        project = override.project.slug if override.project else None
        return Effective().cell(override.alias.name, project, without=override)
