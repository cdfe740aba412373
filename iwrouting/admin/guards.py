"""What our admin adds to the pages that other apps bring: users and groups, and the login attempts of django-axes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model as DjangoModel
from django.http import HttpRequest, HttpResponse

from iwrouting.admin.base import list_words
from iwrouting.admin.typed import TypedAdmin

PRIVILEGES = ("is_superuser", "user_permissions")


class Skinned(TypedAdmin[Any]):
    """Another app's pages with our list."""

    change_list_template = "admin/iwrouting/change_list.html"
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its own name."""
        return super().changelist_view(request, {**list_words(self.opts), **(extra_context or {})})


class SuperusersOnly(Skinned):
    """For pages that give power: only superusers see and use them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers alone."""
        return bool(request.user.is_superuser)


class LoginRecords(SuperusersOnly):
    """The records of logins: read by superusers, written by nobody. A lock is lifted by `manage.py axes_reset`."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}


class GuardedUsers(Skinned):
    """Who may edit users may not become a superuser by it, nor touch one."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only superusers hand out what no group has."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's account, with its password, is for superusers."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's account is for superusers."""
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, user: Any) -> bool:
        return bool(request.user.is_superuser) or not (isinstance(user, User) and user.is_superuser)


def guard_of(model: type[DjangoModel]) -> type[admin.ModelAdmin[Any]] | None:
    """The guard that goes before another app's admin class of a model, or None."""
    if model._meta.app_label == "axes":
        return LoginRecords
    return {"auth.User": GuardedUsers, "auth.Group": SuperusersOnly}.get(model._meta.label)
