"""What our admin pages share: lists, view-only forms, read-only tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime, RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from iwrouting.admin.typed import M, TypedAdmin


class BaseAdmin(TypedAdmin[M]):
    """Lists of 50 rows; fields that identify a row are fixed once it exists.

    `shown_as` names, for fields whose stored form nobody wants to read, the method that shows them to people who may
    only view. `fixed` names the fields that other rows refer to by value.
    """

    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    shown_as: Mapping[str, str] = {}
    fixed: tuple[str, ...] = ()
    empty_note = ""

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        """What the page shows but does not take."""
        return (*super().get_readonly_fields(request, obj), *(self.fixed if obj is not None else ()))

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        """The form's parts, in readable form for people who may only view."""
        parts = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return parts
        return [(title, {**options, "fields": self._shown(options["fields"])}) for title, options in parts]

    def _shown(self, fields: Iterable[Any]) -> list[Any]:
        return [
            self.shown_as.get(field, field) if isinstance(field, str) else tuple(self._shown(field)) for field in fields
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what it says when it is empty."""
        return super().changelist_view(request, {**list_words(self.opts, self.empty_note), **(extra_context or {})})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field without the icons that edit or delete the related row from here, every box with its label."""
        return plain(super().formfield_for_dbfield(db_field, request, **kwargs))


def list_words(opts: Any, empty_note: str = "None yet.") -> dict[str, str]:
    """The title of a list, and what it says when it is empty."""
    title = str(opts.verbose_name_plural)
    return {"title": title[:1].upper() + title[1:], "empty_note": empty_note}


def plain(field: Any) -> Any:
    """A form field whose widget offers no changes of related rows, and names the halves of a time."""
    if field is None:
        return None
    if isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    if isinstance(field.widget, AdminSplitDateTime):
        for half, name in zip(field.widget.widgets, ("date", "time"), strict=True):
            half.attrs["aria-label"] = f"{field.label}, {name}"
    return field


def missing(permission: str) -> str:
    """What a page says to somebody who has not this permission, such as `iwrouting.view_seal`."""
    return f"This page needs the permission {permission}, which you have not."


class ReadOnlyAdmin(BaseAdmin[M]):
    """Rows that the admin never writes: no add, no change, no delete, no action."""

    actions = None

    def require_view(self, request: HttpRequest, obj: M | None = None) -> None:
        """Raises PermissionDenied that says which permission is missing."""
        if not self.has_view_permission(request, obj):
            raise PermissionDenied(missing(f"{self.opts.app_label}.view_{self.opts.model_name}"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, for those who may see it."""
        self.require_view(request)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a row, for those who may see it."""
        self.require_view(request)
        return super().change_view(request, object_id, form_url, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody may."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nobody may."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nobody may."""
        return False
