"""Upstreams: OpenAI-compatible endpoints. Only superusers edit them (design.md 9.5)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from iwrouting.admin.breakers import ResetsBreakers
from iwrouting.admin.fields import WIDE
from iwrouting.admin.show import NOTHING, admin_url, badge, link, on_off
from iwrouting.admin.typed import TypedForm
from iwrouting.conf import settings
from iwrouting.conf.environment import read_secret
from iwrouting.models import Upstream
from iwrouting.snapshot.builtin import environment_upstream
from iwrouting.types import UpstreamFacts


def secret_badge(reference: str) -> SafeString:
    """Whether the secret behind a reference is there. Its value is never shown."""
    if not reference:
        return badge("not set", "warn")
    return badge("found", "good") if read_secret(reference) is not None else badge("missing", "bad")


def environment_facts() -> UpstreamFacts:
    """The upstream that the environment defines, beside the rows."""
    return environment_upstream(settings())


class UpstreamForm(TypedForm[Upstream]):
    """The form of an upstream."""

    class Meta:
        model = Upstream
        fields = "__all__"
        widgets = {"base_url": forms.TextInput(attrs={"size": WIDE})}
        help_texts = {
            "slug": "Short name, such as openai-eu. Fixed once saved: the audit names it.",
            "secret": "Whether this process finds it. The value is never shown.",
        }


class UpstreamAdmin(ResetsBreakers[Upstream]):
    """The list and the form of upstreams."""

    form = UpstreamForm
    actions = ("reset_breakers",)
    fixed = ("slug",)
    list_display = ("slug", "base_url", "secret_ref_shown", "secret", "timeouts", "switch", "models_shown")
    list_filter = ("enabled",)
    search_fields = ("slug", "base_url")
    search_help_text = "Slug or base URL."
    readonly_fields = ("secret",)
    empty_note = "No further upstreams: every model is served by the one that the environment defines."
    fieldsets = (
        (None, {"fields": ("slug", "enabled", "base_url", "secret_ref", "secret")}),
        ("Timeouts", {"fields": ("connect_timeout_s", "first_byte_timeout_s", "idle_timeout_s")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upstream]:
        """With the number of models."""
        return super().get_queryset(request).annotate(model_count=Count("model"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Upstream | None = None) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Upstream | None = None) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser) and super().has_delete_permission(request, obj)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under the upstream that the environment defines."""
        facts = environment_facts()
        context = {"environment_upstream": facts, "environment_secret": secret_badge(facts.secret_ref)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Upstream, form: Any, change: bool) -> None:
        """Save, and say when the new base URL has cleared the secret reference."""
        asked = obj.secret_ref
        super().save_model(request, obj, form, change)
        if asked and not obj.secret_ref:
            text = "The base URL changed: the secret reference was cleared. Set it again if the new host may have it."
            self.message_user(request, text, messages.WARNING)

    @admin.display(description="Secret reference", ordering="secret_ref")
    def secret_ref_shown(self, upstream: Upstream) -> str:
        """Where its key is."""
        return upstream.secret_ref or NOTHING

    @admin.display(description="Secret")
    def secret(self, upstream: Upstream) -> SafeString:
        """Found or missing."""
        return secret_badge(upstream.secret_ref)

    @admin.display(description="Timeouts (s)")
    def timeouts(self, upstream: Upstream) -> str:
        """Connect, first byte, idle."""
        seconds = (upstream.connect_timeout_s, upstream.first_byte_timeout_s, upstream.idle_timeout_s)
        return " / ".join(f"{value:g}" for value in seconds)

    @admin.display(description="Enabled", ordering="enabled")
    def switch(self, upstream: Upstream) -> SafeString:
        """The switch."""
        return on_off(upstream.enabled)

    @admin.display(description="Models", ordering="model_count")
    def models_shown(self, upstream: Any) -> SafeString | str:
        """How many models it serves, with a link to them."""
        if not upstream.model_count:
            return "0"
        return link(f"{admin_url('model', 'changelist')}?upstream__id__exact={upstream.pk}", upstream.model_count)
