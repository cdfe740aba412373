"""API keys: made here, shown once, revoked, never deleted (design.md 9.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from iwrouting.admin.attempts import reason_context
from iwrouting.admin.base import missing
from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.fields import ChecksField, NamesField
from iwrouting.admin.filters import KeyStateFilter, ProjectFilter
from iwrouting.admin.links import service_url
from iwrouting.admin.show import admin_url, badge, code_list, moment
from iwrouting.admin.typed import TypedForm
from iwrouting.models import ApiKey, Revision, new_key
from iwrouting.models.keys import ALL_PROJECTS, default_scopes
from iwrouting.types import Scope

DEFAULT_DAYS = 365
FAR = {Scope.READ_AUDIT.value, Scope.MANAGE.value}
SHOWN_ONCE = "text_shown_once"


def state_badge(key: ApiKey) -> SafeString:
    """Whether the key is accepted now."""
    now = timezone.now()
    if key.revoked_at is not None and key.revoked_at <= now:
        return badge("revoked", "bad")
    if key.expires_at is not None and key.expires_at <= now:
        return badge("expired")
    return badge("active", "good")


class KeyForm(TypedForm[ApiKey]):
    """The form of a key; the key itself is nowhere in it."""

    scopes = ChecksField(
        [scope.value for scope in Scope],
        help_text="What it may do. resolve: ask which model; call: use /v1; read_audit: read decisions; "
        "manage: read and change the configuration by API.",
    )
    projects = NamesField(
        empty=[], label="Further projects", help_text="Slugs that it may name by x-iw-project; * for all."
    )
    allowed_aliases = NamesField(empty=None, help_text="Empty: all aliases.")
    allowed_models = NamesField(
        empty=None, help_text="Empty: what its aliases reach, and every enabled catalogue model. A list filters all."
    )

    class Meta:
        model = ApiKey
        fields = "__all__"
        help_texts = {
            "prefix": "How the key begins; the part that stands in the audit.",
            "state": "A revoked or expired key is answered 401 within a second or two.",
            "created_by": "Who made it.",
            "revoked": "Set by Revoke; a revoked key stays revoked.",
        }


class KeyAdmin(ConfigAdmin[ApiKey]):
    """The list and the form of API keys."""

    form = KeyForm
    shown_as = {
        "scopes": "scopes_shown",
        "projects": "projects_shown",
        "allowed_aliases": "aliases_shown",
        "allowed_models": "models_shown",
        "expires_at": "expires",
    }
    list_display = ("name", "prefix", "project", "scopes_shown", "created_by", "expires", "state")
    list_filter = (KeyStateFilter, ProjectFilter)
    list_select_related = ("project",)
    search_fields = ("name", "key_id", "project__slug")
    search_help_text = "Name, id (without iw_) or project."
    readonly_fields = ("prefix", "state", "created_by", "revoked", *shown_as.values())
    actions = None
    empty_note = "No API keys. Add one: callers need it for every request."
    parts = (
        (None, {"fields": ("name", "project", "scopes", "expires_at")}),
        ("Limits", {"fields": ("projects", "allowed_aliases", "allowed_models")}),
    )
    about = ("This key", {"fields": ("prefix", "state", "created_by", "revoked")})
    change_form_template = "admin/iwrouting/apikey/change.html"

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """What is known of a key stands first once there is one."""
        parts = self.parts if obj is None else (self.about, *self.parts)
        if obj is None or self.has_change_permission(request, obj):
            return parts
        return [(title, {"fields": self._shown(options["fields"])}) for title, options in parts]

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Nobody: the audit names it. Revoke instead."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new key ends after a year."""
        end = (timezone.now() + timedelta(days=DEFAULT_DAYS)).replace(microsecond=0)
        return {"expires_at": end, "scopes": default_scopes(), **super().get_changeform_initial_data(request)}

    def get_urls(self) -> list[URLPattern]:
        """With the page that revokes."""
        revoke = path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="iwrouting_apikey_revoke")
        return [revoke, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Save; a new row gets its key here, and only the hash is stored."""
        if not change:
            made = new_key()
            obj.key_id, obj.sha256, obj.created_by = made.key_id, made.sha256, request.user.get_username()
            vars(obj)[SHOWN_ONCE] = made.text
        super().save_model(request, obj, form, change)
        wide = sorted(FAR & set(obj.scopes))
        if wide or ALL_PROJECTS in obj.projects:
            reach = [*wide, *(["all projects"] if ALL_PROJECTS in obj.projects else [])]
            self.message_user(request, f"This key reaches far: {', '.join(reach)}.", messages.WARNING)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key in the answer to the form: no redirect, so that no cookie and no session ever holds it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Your new API key",
            "opts": self.opts,
            "key": obj,
            "text": vars(obj).pop(SHOWN_ONCE),
            "service_url": service_url(request),
        }
        response = TemplateResponse(request, "admin/iwrouting/apikey/shown.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form with one button: the answer to it is the key."""
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**buttons, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form, with Revoke for those who may."""
        key = self.get_object(request, object_id)
        may = key is not None and key.revoked_at is None and self.has_change_permission(request, key)
        return super().change_view(request, object_id, form_url, {"may_revoke": may, **(extra_context or {})})

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then revoke."""
        key = self.get_object(request, str(pk))
        if key is None or not self.has_change_permission(request, key):
            raise PermissionDenied(missing("iwrouting.change_apikey"))
        there = HttpResponseRedirect(admin_url("apikey", "change", pk))
        if key.revoked_at is not None:
            self.message_user(request, f"iw_{key.key_id} is revoked already.", messages.WARNING)
            return there
        attempt, done = self.attempt(request, lambda _attempt, _made: self._revoke(request, key))
        if done:
            return there
        context = {
            **self.admin_site.each_context(request),
            **reason_context(attempt, Revision.current(), is_sent=request.method == "POST"),
            "title": "Revoke this key?",
            "opts": self.opts,
            "key": key,
            "problems": [*attempt.problems, *attempt.told_errors()],
        }
        return TemplateResponse(request, "admin/iwrouting/apikey/revoke.html", context)

    def _revoke(self, request: HttpRequest, key: ApiKey) -> bool:
        key.revoked_at = timezone.now()
        key.save()
        self.log_change(request, key, [{"changed": {"fields": ["Revoked at"]}}])
        self.message_user(request, f"Revoked iw_{key.key_id}: calls with it are answered 401.", messages.SUCCESS)
        return True

    @admin.display(description="Key", ordering="key_id")
    def prefix(self, key: ApiKey) -> str:
        """How the key begins."""
        return f"iw_{key.key_id}"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> SafeString:
        """Accepted, expired or revoked."""
        return state_badge(key)

    @admin.display(description="Expires (UTC)", ordering="expires_at")
    def expires(self, key: ApiKey) -> SafeString | str:
        """Until when it is accepted."""
        return moment(key.expires_at)

    @admin.display(description="Revoked (UTC)")
    def revoked(self, key: ApiKey) -> SafeString | str:
        """Since when it is refused."""
        return moment(key.revoked_at)

    @admin.display(description="Scopes")
    def scopes_shown(self, key: ApiKey) -> SafeString | str:
        """What it may do."""
        return code_list(key.scopes)

    @admin.display(description="Further projects")
    def projects_shown(self, key: ApiKey) -> SafeString | str:
        """What it may name."""
        return code_list(key.projects)

    @admin.display(description="Allowed aliases")
    def aliases_shown(self, key: ApiKey) -> SafeString | str:
        """All, or a list."""
        return "all" if key.allowed_aliases is None else code_list(key.allowed_aliases)

    @admin.display(description="Allowed models")
    def models_shown(self, key: ApiKey) -> SafeString | str:
        """What its aliases reach, or a list."""
        return "what its aliases reach" if key.allowed_models is None else code_list(key.allowed_models)
