"""Prices: what a model costs, since when, and from where. A price that was in force is superseded, never changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.fields import WIDE, PriceField, model_id_field
from iwrouting.admin.filters import PriceModelFilter, PriceStateFilter
from iwrouting.admin.price_rows import KEY, superseded, unpriced_models
from iwrouting.admin.price_sync import sync_page
from iwrouting.admin.show import NOTHING, admin_url, badge, link, moment, number, per_million
from iwrouting.admin.typed import TypedForm
from iwrouting.models import Price
from iwrouting.models.prices import PICO_FIELDS
from iwrouting.types import ALWAYS

UNKNOWN_PRICE = "Dollars per 1M tokens. Empty: not known, so that calls with such tokens are unpriced, never free."
PAST = (
    "This time has passed, and past decisions keep the price they were costed with: leave it empty for now, "
    "or enter a later time."
)


class PriceForm(TypedForm[Price]):
    """The form of a price: dollars per 1M tokens; saving one that is in force makes a new one from now on."""

    model_id = model_id_field("The model that it is the price of, by the provider's id. Fixed once saved.")
    input_pico = PriceField(label="Input, $ per 1M", help_text=UNKNOWN_PRICE)
    cached_pico = PriceField(label="Cached input, $ per 1M", help_text=UNKNOWN_PRICE)
    cache_write_pico = PriceField(label="Cache writes, $ per 1M", help_text=UNKNOWN_PRICE)
    output_pico = PriceField(label="Output, $ per 1M", help_text=f"{UNKNOWN_PRICE} Reasoning tokens are output.")

    class Meta:
        model = Price
        fields = "__all__"
        widgets = {"source": forms.TextInput(attrs={"size": WIDE})}
        help_texts = {
            "valid_from": "In force from this time on (UTC). Empty: from now on. A later time is scheduled.",
            "is_manual": "Ticked by every change here: prices_sync leaves it alone. Untick to let it follow again.",
            "state": "A price that is or was in force stays: saving it makes a new one, and past costs keep theirs.",
            "version": "Set by every change, and stored with every cost made with it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "valid_from" in self.fields:  # not for people who may only view
            self.fields["valid_from"].required = False

    def clean_valid_from(self) -> Any:
        """Now, where nothing or the time of a price in force stands there. Refuses another time that has passed."""
        found, now = self.cleaned_data["valid_from"], timezone.now()
        if found is None or ("valid_from" not in self.changed_data and found <= now):
            return now
        if found <= now:
            raise ValidationError(PAST)
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse a second price of the same kind and time, naming the first."""
        values = super().clean() or self.cleaned_data
        same = {name: values.get(name, getattr(self.instance, name)) for name in (*KEY, "valid_from")}
        twin = Price.objects.filter(**same).exclude(pk=self.instance.pk).first() if None not in same.values() else None
        if twin is not None:
            there = link(admin_url("price", "change", twin.pk), twin)
            self.add_error("valid_from", format_html("There is a price of that kind and time ({}): edit that.", there))
        return values


class PriceAdmin(ConfigAdmin[Price]):
    """The list and the form of prices."""

    form = PriceForm
    fixed = KEY
    actions = None
    shown_as = {
        "valid_from": "since",
        "input_pico": "input_price",
        "cached_pico": "cached_price",
        "cache_write_pico": "cache_write_price",
        "output_pico": "output_price",
    }
    list_display = (
        "model_id", "service_tier", "above", "input_price", "cached_price", "cache_write_price", "output_price",
        "since", "state", "source_shown", "changed",
    )  # fmt: skip
    list_filter = (PriceStateFilter, "is_manual", PriceModelFilter, "service_tier")
    search_fields = ("model_id", "source", "version")
    search_help_text = "Model id, source or version."
    readonly_fields = ("state", "version", *shown_as.values())
    empty_note = "No prices: every call is unpriced. Fill them (python manage.py prices_sync), or add one."
    fieldsets = (
        (None, {"fields": (*KEY, "valid_from", "state")}),
        ("Prices", {"fields": PICO_FIELDS}),
        ("From", {"fields": ("source", "is_manual", "version")}),
    )
    change_list_template = "admin/iwrouting/price/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """With whether a later price holds now."""
        return super().get_queryset(request).annotate(superseded=superseded(timezone.now()))

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Only a scheduled price may go: costs were made with any other."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_scheduled)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new price is an operator's."""
        return {"is_manual": True, **super().get_changeform_initial_data(request)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under the models in use that have no price."""
        context = {"unpriced": unpriced_models(), "may_price": self.has_add_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        """With the page that syncs."""
        sync = path("sync/", self.admin_site.admin_view(self.sync_view), name="iwrouting_price_sync")
        return [sync, *super().get_urls()]

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        """Preview and write what the packaged price lists say."""
        return sync_page(self, request)

    def rows_behind(self, pk: int) -> list[tuple[str, int]]:
        """All prices of this one's kind: a newer one has superseded it."""
        same = Price.objects.filter(pk=pk).values(*KEY)
        found = Price.objects.filter(**same[0]).values_list("pk", flat=True) if same else []
        return [("price", other) for other in {pk, *found}]

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Save as an operator's price; one that is or was in force stays, and a new row supersedes it."""
        if change and not form.has_changed():
            return
        if form.changed_data != ["is_manual"]:
            obj.is_manual = True
        obj.version = f"edited {timezone.now():%Y-%m-%dT%H:%M:%SZ}"
        if change and not Price.objects.get(pk=obj.pk).is_scheduled:
            obj.pk, obj._state.adding = None, True
            text = f"The price until now stays for what it was used for; the new one holds from {obj.valid_from:%c} on."
            self.message_user(request, text, messages.INFO)
        super().save_model(request, obj, form, change)

    def response_change(self, request: HttpRequest, obj: Price) -> HttpResponse:
        """To the page of the row that now holds, where the answer would lead to the one it supersedes."""
        answer = super().response_change(request, obj)
        here = isinstance(answer, HttpResponseRedirect) and answer.url.partition("?")[0] == request.path
        return HttpResponseRedirect(admin_url("price", "change", obj.pk)) if here else answer

    @admin.display(description="Above input tokens", ordering="above_input_tokens")
    def above(self, price: Price) -> str:
        """From how many tokens of input on it holds."""
        return number(price.above_input_tokens) if price.above_input_tokens else NOTHING

    @admin.display(description="Input $/1M", ordering="input_pico")
    def input_price(self, price: Price) -> SafeString | str:
        """Dollars per 1M tokens."""
        return per_million(price.input_pico) or badge("not known", "warn")

    @admin.display(description="Cached $/1M", ordering="cached_pico")
    def cached_price(self, price: Price) -> str:
        """Dollars per 1M tokens."""
        return per_million(price.cached_pico) or NOTHING

    @admin.display(description="Cache writes $/1M", ordering="cache_write_pico")
    def cache_write_price(self, price: Price) -> str:
        """Dollars per 1M tokens."""
        return per_million(price.cache_write_pico) or NOTHING

    @admin.display(description="Output $/1M", ordering="output_pico")
    def output_price(self, price: Price) -> str:
        """Dollars per 1M tokens."""
        return per_million(price.output_pico) or NOTHING

    @admin.display(description="Valid from (UTC)", ordering="valid_from")
    def since(self, price: Price) -> SafeString | str:
        """Since when it holds."""
        return "always" if price.valid_from == ALWAYS else moment(price.valid_from)

    @admin.display(description="State")
    def state(self, price: Any) -> SafeString | str:
        """In force, scheduled or superseded; nothing for a row not saved yet."""
        if price.pk is None:
            return NOTHING
        if price.is_scheduled:
            return badge("scheduled", "info")
        return badge("superseded") if price.superseded else badge("in force", "good")

    @admin.display(description="Source", ordering="source")
    def source_shown(self, price: Price) -> SafeString | str:
        """Where it comes from."""
        return badge("manual", "strong") if price.is_manual else price.version or NOTHING

    @admin.display(description="Changed (UTC)", ordering="updated_at")
    def changed(self, price: Price) -> SafeString | str:
        """When it was last saved."""
        return moment(price.updated_at)
