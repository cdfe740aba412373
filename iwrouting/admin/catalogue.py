"""The catalogue: what each model can do, what it costs, and when it ends."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from iwrouting.admin.base import SwitchableAdmin
from iwrouting.admin.effective import Effective
from iwrouting.admin.fields import WIDE, ChecksField, NamesField, PriceField, tier_field
from iwrouting.admin.show import NOTHING, admin_url, code_list, number, on_off, per_million
from iwrouting.admin.typed import TypedForm
from iwrouting.models import Model
from iwrouting.models.targets import model_users
from iwrouting.types import Endpoint

PRICES = ("input_pico", "cached_pico", "output_pico", "price_ceiling_input_tokens")
MOST_USERS = 3
UNKNOWN_PRICE = "Dollars per 1M tokens. Empty: not known, so that its calls are unpriced, never free."


class ModelForm(TypedForm[Model]):
    """The form of a model: prices in dollars per 1M tokens, lists without JSON."""

    endpoints = ChecksField([endpoint.value for endpoint in Endpoint], help_text="What it serves.")
    input_modalities = NamesField(empty=[], rows=2, help_text="What it reads, such as text, image.")
    input_pico = PriceField(label="Input, $ per 1M", help_text=UNKNOWN_PRICE)
    cached_pico = PriceField(label="Cached input, $ per 1M", help_text=UNKNOWN_PRICE)
    output_pico = PriceField(label="Output, $ per 1M", help_text=f"{UNKNOWN_PRICE} Reasoning tokens are output.")
    tier = tier_field("Cost tier.")

    class Meta:
        model = Model
        fields = "__all__"
        widgets = {"source": forms.TextInput(attrs={"size": WIDE})}
        help_texts = {
            "model_id": "The provider's id, as sent to it. Fixed once saved: the audit names it.",
            "price_version": "Set by every change of a price, and stored with every cost made with it.",
            "lifecycle": "Warnings here never stop a call.",
            "used_by": "Aliases with it as default, in their chain, or in an override.",
        }


class ModelColumns:
    """The columns of one list that need more than the row: who uses a model, and its life."""

    @cached_property
    def now(self) -> Effective:
        """One reading for all rows."""
        return Effective()

    @cached_property
    def users(self) -> dict[str, dict[str, None]]:
        """Alias names by model id, each once, in order."""
        return model_users()

    @admin.display(description="Lifecycle")
    def lifecycle(self, model: Model) -> SafeString | str:
        """Gone, going or disabled."""
        return self.now.lifecycle(model.model_id) or NOTHING

    @admin.display(description="Used by")
    def used_by(self, model: Model) -> str:
        """The first aliases that may reach it, and how many more."""
        names = list(self.users.get(model.model_id, ()))
        more = f" +{len(names) - MOST_USERS}" if len(names) > MOST_USERS else ""
        return ", ".join(names[:MOST_USERS]) + more if names else NOTHING


class ModelAdmin(SwitchableAdmin[Model]):
    """The list and the form of models."""

    form = ModelForm
    fixed = ("model_id",)
    shown_as = {
        "endpoints": "endpoints_shown",
        "input_modalities": "modalities_shown",
        "input_pico": "input_price",
        "cached_pico": "cached_price",
        "output_pico": "output_price",
        "shutdown_date": "shutdown",
        "checked_on": "checked",
    }
    list_filter = ("enabled", "tier", "upstream", "reasoning")
    list_select_related = ("upstream",)
    search_fields = ("model_id", "replacement")
    search_help_text = "Model id or replacement."
    readonly_fields = ("price_version", "lifecycle", "used_by", *shown_as.values())
    empty_note = "No models. Load the built-in catalogue (python manage.py matrix_load), or add one."
    fieldsets = (
        (None, {"fields": ("model_id", "enabled", "upstream", "endpoints", "lifecycle", "used_by")}),
        ("Prices", {"fields": (*PRICES, "price_version")}),
        ("Windows", {"fields": ("context_window", "max_input", "max_output", "dimensions", "input_modalities")}),
        ("Parameters", {"fields": ("reasoning", "default_effort", "sampling", "completion_cap_param")}),
        ("Life", {"fields": ("shutdown_date", "replacement", "tier", "checked_on", "source")}),
    )

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, with one reading of the configuration for them."""
        now = ModelColumns()
        prices = ("input_price", "cached_price", "output_price")
        return ("model_id", "endpoints_shown", "upstream", "window", *prices, "switch", now.lifecycle, now.used_by)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Save; a changed price gets a new version, because past costs name the one they were made with (G7)."""
        if set(form.changed_data) & set(PRICES):
            obj.price_version = f"edited {timezone.now():%Y-%m-%dT%H:%M:%SZ}"
        super().save_model(request, obj, form, change)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete, unless that would undo the kill switch or leave an alias with an unknown model."""
        model = self.get_object(request, object_id)
        if model is not None and (fault := model.delete_fault()):
            self.message_user(request, fault, messages.ERROR)
            return HttpResponseRedirect(admin_url("model", "change", model.pk))
        return super().delete_view(request, object_id, extra_context)

    @admin.display(description="Endpoints")
    def endpoints_shown(self, model: Model) -> SafeString | str:
        """What it serves."""
        return code_list(model.endpoints)

    @admin.display(description="Input modalities")
    def modalities_shown(self, model: Model) -> SafeString | str:
        """What it reads."""
        return code_list(model.input_modalities)

    @admin.display(description="Context", ordering="context_window")
    def window(self, model: Model) -> str:
        """Tokens, input and output together."""
        return number(model.context_window)

    @admin.display(description="Input $/1M", ordering="input_pico")
    def input_price(self, model: Model) -> str:
        """Dollars per 1M tokens."""
        return per_million(model.input_pico) or NOTHING

    @admin.display(description="Cached $/1M", ordering="cached_pico")
    def cached_price(self, model: Model) -> str:
        """Dollars per 1M tokens."""
        return per_million(model.cached_pico) or NOTHING

    @admin.display(description="Output $/1M", ordering="output_pico")
    def output_price(self, model: Model) -> str:
        """Dollars per 1M tokens."""
        return per_million(model.output_pico) or NOTHING

    @admin.display(description="Shutdown date")
    def shutdown(self, model: Model) -> str:
        """The day in ISO form."""
        return str(model.shutdown_date or NOTHING)

    @admin.display(description="Checked on")
    def checked(self, model: Model) -> str:
        """The day in ISO form."""
        return str(model.checked_on or NOTHING)

    @admin.display(description="Enabled", ordering="enabled")
    def switch(self, model: Model) -> SafeString:
        """The kill switch."""
        return on_off(model.enabled)

    @admin.display(description="Lifecycle")
    def lifecycle(self, model: Model) -> SafeString | str:
        """Gone, going or disabled."""
        return Effective().lifecycle(model.model_id) or "nothing known against it" if model.pk else NOTHING

    @admin.display(description="Used by")
    def used_by(self, model: Model) -> str:
        """Every alias that may reach it."""
        return ", ".join(model_users().get(model.model_id, ())) or "no alias"
