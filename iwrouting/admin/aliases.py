"""Aliases: the names that callers ask for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.effective import Effective
from iwrouting.admin.fields import WIDE, NamesField, model_id_field, tier_field
from iwrouting.admin.overrides import ROW, HoldsOverrides, OverrideInline
from iwrouting.admin.show import NOTHING, admin_url, code_list, link
from iwrouting.admin.typed import TypedForm
from iwrouting.admin.usage import users_of
from iwrouting.admin.whatif import WhatIfAdmin
from iwrouting.models import Alias
from iwrouting.types import AUTO
from iwrouting.types.faults import MAX_CHAIN

NEXT_RUNG = " → "
UNSET = "not set"


class AliasForm(TypedForm[Alias]):
    """The form of an alias."""

    default_model = model_id_field(
        "Serves when neither an override in force nor the environment variable names a model.", "Default model"
    )
    chain = NamesField(
        empty=[],
        help_text="Who answers when the primary can't, in this order: aliases or model ids, one a line or separated "
        f"by commas, at most {MAX_CHAIN}. Each is resolved for the same project.",
    )
    tier = tier_field("Cost tier that fits the task.")

    class Meta:
        model = Alias
        fields = "__all__"
        widgets = {"purpose": forms.TextInput(attrs={"size": WIDE})}
        help_texts = {
            "name": "What callers ask for, such as manager. Fixed once saved: chains and the audit name it.",
            "effective": "For callers without an override of their own project.",
            "variable_now": "What this process sees. It counts after the overrides and before the default.",
            "infer": "On: asked with messages, auto infers a chat mode and that mode's model serves. "
            "Off pins auto to its model.",
        }


class AliasOverrides(OverrideInline[Alias]):
    """The alias's overrides, on its page."""

    fields = ("project", *ROW)


class AliasColumns:
    """The columns of one list that need the configuration."""

    @cached_property
    def now(self) -> Effective:
        """One reading for all rows."""
        return Effective()

    def told_of(self, alias: Alias) -> list[str]:
        """Who uses it: projects that ask for it or override it, and keys that name it."""
        return users_of(alias)

    def must_type(self, alias: Alias) -> str:
        """The name of one that is in use."""
        return alias.name if users_of(alias) else ""

    @admin.display(description="Effective model")
    def effective(self, alias: Alias) -> SafeString:
        """The model that serves callers without an override of their own."""
        return self.now.cell(alias.name, None)

    @admin.display(description="Lifecycle")
    def life(self, alias: Alias) -> SafeString | str:
        """What is to be known of every model that it names."""
        return self.now.life_of(alias.name) or NOTHING


def effective_cell(now: Effective, alias: Alias) -> SafeString:
    """The model that serves an alias for callers without an override of their own, its source, its life."""
    found = now.resolution(alias.name, None)
    return format_html("{} {}", now.cell(alias.name, None), now.lifecycle(found.model) if found else "")


class AliasAdmin(WhatIfAdmin[Alias], HoldsOverrides[Alias]):
    """The list and the form of aliases."""

    form = AliasForm
    inlines = (AliasOverrides,)
    listed = ("alias__id__exact", "pk")
    fixed = ("name", "kind")
    shown_as = {"chain": "rungs"}
    list_filter = ("kind", "tier", "subsystem")
    search_fields = ("name", "default_model", "variable", "purpose")
    search_help_text = "Name, default model, variable or purpose."
    readonly_fields = ("effective", "variable_now", "rungs")
    empty_note = "No aliases. Load the built-in matrix: python manage.py matrix_load"
    delete_words = "Archive"
    names = ("name", "kind")
    parts = (
        ("Fallback", {"fields": ("chain",)}),
        ("Limits", {"fields": ("deadline_s", "max_context_tokens")}),
        ("Environment", {"fields": ("variable", "variable_now")}),
        ("What it is for", {"fields": ("purpose", "subsystem", "tier")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        """With the number of overrides."""
        return super().get_queryset(request).annotate(override_count=Count("overrides"))

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, with one reading of the configuration for them."""
        now = AliasColumns()
        return ("name", "kind", "default_model", now.effective, "rungs", now.life, "variable", "count", "tier")

    def get_fieldsets(self, request: HttpRequest, obj: Alias | None = None) -> Any:
        """`infer` has a meaning for auto alone, and stands on its page alone."""
        first = (*self.names, "default_model", *(("effective",) if obj else ()))
        auto = (("Automatic mode", {"fields": ("infer",)}),) if obj is not None and obj.name == AUTO else ()
        self_parts = ((None, {"fields": first}), *auto, *self.parts)
        if obj is not None and not self.has_change_permission(request, obj):
            return [(title, {"fields": self._shown(options["fields"])}) for title, options in self_parts]
        return self_parts

    def told_of(self, alias: Alias) -> list[str]:
        """Who uses it: projects that ask for it or override it, and keys that name it."""
        return users_of(alias)

    def must_type(self, alias: Alias) -> str:
        """The name of one that is in use."""
        return alias.name if users_of(alias) else ""

    @admin.display(description="Effective model")
    def effective(self, alias: Alias) -> SafeString:
        """What serves callers without an override of their own, and its life."""
        return effective_cell(Effective(), alias)

    @admin.display(description="Value now")
    def variable_now(self, alias: Alias) -> str:
        """The variable's value in this process."""
        config = Effective().config
        value = config.environment.values.get(alias.variable) if config and alias.variable else None
        return UNSET if value is None else value or "set, but blank: counts as not set"

    @admin.display(description="Chain")
    def rungs(self, alias: Alias) -> SafeString | str:
        """The rungs after the primary."""
        return code_list(alias.chain, NEXT_RUNG)

    @admin.display(description="Overrides", ordering="override_count")
    def count(self, alias: Any) -> SafeString | str:
        """How many overrides it has, with a link to them."""
        url = f"{admin_url('override', 'changelist')}?alias__id__exact={alias.pk}"
        return link(url, alias.override_count) if alias.override_count else "0"
