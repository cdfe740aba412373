"""The catalogue: what each model can do, and when it ends."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.safestring import SafeString

from iwrouting.admin.actions import SwitchableAdmin
from iwrouting.admin.breakers import ResetsBreakers
from iwrouting.admin.effective import Effective
from iwrouting.admin.model_form import FIELDSETS, ModelForm, doubts
from iwrouting.admin.price_rows import price_lines
from iwrouting.admin.show import NOTHING, badge, code_list, number, on_off, per_million
from iwrouting.admin.whatif import WhatIfAdmin
from iwrouting.models import Model
from iwrouting.models.targets import model_users
from iwrouting.pricing import price_in_force
from iwrouting.types import PriceFacts

MOST_USERS = 3


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

    @admin.display(description="Input $/1M")
    def input_price(self, model: Model) -> SafeString | str:
        """Dollars per 1M tokens now; a model without is unpriced."""
        price = self._price(model)
        return per_million(price.input_pico if price else None) or badge("no price", "warn")

    @admin.display(description="Cached $/1M")
    def cached_price(self, model: Model) -> str:
        """Dollars per 1M tokens now."""
        price = self._price(model)
        return per_million(price.cached_pico if price else None) or NOTHING

    @admin.display(description="Output $/1M")
    def output_price(self, model: Model) -> str:
        """Dollars per 1M tokens now."""
        price = self._price(model)
        return per_million(price.output_pico if price else None) or NOTHING

    def _price(self, model: Model) -> PriceFacts | None:
        listed = self.now.config.prices.get(model.model_id, ()) if self.now.config else ()
        return price_in_force(listed, self.now.now)

    @admin.display(description="Used by")
    def used_by(self, model: Model) -> str:
        """The first aliases that may reach it, and how many more."""
        names = list(self.users.get(model.model_id, ()))
        more = f" +{len(names) - MOST_USERS}" if len(names) > MOST_USERS else ""
        return ", ".join(names[:MOST_USERS]) + more if names else NOTHING


class ModelAdmin(WhatIfAdmin[Model], ResetsBreakers[Model], SwitchableAdmin[Model]):
    """The list and the form of models."""

    form = ModelForm
    actions = ("enable", "disable", "reset_breakers")
    fixed = ("model_id",)
    shown_as = {
        "endpoints": "endpoints_shown",
        "input_modalities": "modalities_shown",
        "efforts": "efforts_shown",
        "refused_params": "refused_shown",
        "hosted_tools": "hosted_shown",
        "shutdown_date": "shutdown",
        "checked_on": "checked",
    }
    list_filter = ("enabled", "tier", "upstream", "reasoning")
    list_select_related = ("upstream",)
    search_fields = ("model_id", "replacement")
    search_help_text = "Model id or replacement."
    readonly_fields = ("prices", "lifecycle", "used_by", *shown_as.values())
    empty_note = "No models. Load the built-in catalogue (python manage.py matrix_load), or add one."
    fieldsets = FIELDSETS

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, with one reading of the configuration for them."""
        now = ModelColumns()
        prices = (now.input_price, now.cached_price, now.output_price)
        return (
            "model_id",
            "endpoints_shown",
            "upstream",
            "window",
            *prices,
            "tier",
            "switch",
            now.lifecycle,
            now.used_by,
        )

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Save, and say what may be a slip."""
        super().save_model(request, obj, form, change)
        for text in doubts(obj):
            self.message_user(request, f"Note: {text}", messages.WARNING)

    @admin.display(description="Endpoints")
    def endpoints_shown(self, model: Model) -> SafeString | str:
        """What it serves."""
        return code_list(model.endpoints)

    @admin.display(description="Input modalities")
    def modalities_shown(self, model: Model) -> SafeString | str:
        """What it reads."""
        return code_list(model.input_modalities)

    @admin.display(description="Efforts")
    def efforts_shown(self, model: Model) -> SafeString | str:
        """Reasoning efforts that it takes."""
        return code_list(model.efforts)

    @admin.display(description="Refused params")
    def refused_shown(self, model: Model) -> SafeString | str:
        """Parameters that it refuses."""
        return code_list(model.refused_params)

    @admin.display(description="Hosted tools")
    def hosted_shown(self, model: Model) -> SafeString | str:
        """The provider's own tools that it takes."""
        return "not known" if model.hosted_tools is None else code_list(model.hosted_tools)

    @admin.display(description="Context", ordering="context_window")
    def window(self, model: Model) -> str:
        """Tokens, input and output together."""
        return number(model.context_window)

    @admin.display(description="Prices")
    def prices(self, model: Model) -> SafeString | str:
        """What it costs now, with a link to its price list."""
        return price_lines(model.model_id) if model.pk else NOTHING

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
