"""The System page: how the service stands, and the two things that an operator does here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from iwrouting.admin.attempts import Attempt, reason_context
from iwrouting.admin.attention import attention_list
from iwrouting.admin.base import missing
from iwrouting.admin.decision_page import Table
from iwrouting.admin.environment import COLUMNS, environment_rows
from iwrouting.admin.routing_variables import routing_variables
from iwrouting.admin.show import badge
from iwrouting.admin.system_parts import parts
from iwrouting.audit.locks import LockFault, only_one
from iwrouting.management.maintenance import Ended, steps, take
from iwrouting.management.owner import must_own
from iwrouting.models import OpenChange, Revision

MAY_SEE = "iwrouting.view_writer"
MAY_RELOAD = "iwrouting.change_override"
BUSY = "Maintenance runs already, in another process: nothing was done."


class SystemPages:
    """The pages beside the models that are about the service itself."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def urls(self) -> list[URLPattern]:
        """Their addresses."""
        return [
            path("system/", self._site.admin_view(self.system), name="system"),
            path("system/reload/", self._site.admin_view(self.reload), name="system_reload"),
            path("system/maintenance/", self._site.admin_view(self.maintenance), name="system_maintenance"),
        ]

    def menu_entry(self, request: HttpRequest) -> dict[str, Any] | None:
        """The page in the menu, for those who may see it."""
        if not request.user.has_perm(MAY_SEE):
            return None
        return {"name": "System", "object_name": "System", "admin_url": reverse("admin:system"), "view_only": True}

    def system(self, request: HttpRequest) -> HttpResponse:
        """How everything stands now."""
        _require(request, MAY_SEE)
        context = {
            **self._site.each_context(request),
            **parts(),
            "attention": attention_list(),
            "title": "System",
            "routing": routing_variables(request.user),
            "environment": Table("Settings of this process", COLUMNS, environment_rows()),
            "may_reload": request.user.has_perm(MAY_RELOAD),
            "may_maintain": request.user.is_superuser,
        }
        return TemplateResponse(request, "admin/system.html", context)

    def reload(self, request: HttpRequest) -> HttpResponse:
        """Make every worker read the configuration anew: under a new revision, as after any change."""
        _require(request, MAY_RELOAD)
        attempt = Attempt(request)
        revision = attempt.run(lambda made: _reload(request, made)) if request.method == "POST" else None
        if revision is not None:
            text = f"Every worker reads the configuration anew, as revision {revision}, within seconds."
            messages.success(request, text)
            return HttpResponseRedirect(reverse("admin:system"))
        context = {
            **self._site.each_context(request),
            **reason_context(attempt, Revision.current(), is_sent=request.method == "POST"),
            "title": "Reload snapshot",
            "problems": attempt.problems,
        }
        return TemplateResponse(request, "admin/reload.html", context)

    def maintenance(self, request: HttpRequest) -> HttpResponse:
        """What `manage.py maintain` would do, then what it did. For superusers alone."""
        if not request.user.is_superuser:
            raise PermissionDenied("Maintenance is for superusers: it removes what is older than is kept.")
        refused = _refused()
        run = request.method == "POST" and not refused
        context = {
            **self._site.each_context(request),
            "title": "Maintenance",
            "refused": refused,
            "ran": run,
            "table": _shown(_run(request)) if run else _shown([take(each, _quiet, dry_run=True) for each in steps()]),
        }
        return TemplateResponse(request, "admin/maintenance.html", context)


def _reload(request: HttpRequest, made: OpenChange) -> int:
    made.raise_anyway()
    _log(request, "Made every worker read the configuration anew.")
    return made.revision


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied(missing(permission))


def _refused() -> str:
    """Why this process may not maintain, or an empty text."""
    try:
        must_own("maintain")
    except CommandError as error:
        return str(error)
    return ""


def _run(request: HttpRequest) -> list[Ended]:
    try:
        with only_one("maintain") as ours:
            if not ours:
                messages.warning(request, BUSY)
                return []
            ended = [take(each, _quiet, dry_run=False) for each in steps()]
    except LockFault as error:
        messages.error(request, f"{error}.")
        return []
    _log(request, "Ran maintenance.")
    return ended


def _quiet(_line: str) -> None:
    """A page tells no progress."""


def _shown(ended: list[Ended]) -> Table:
    rows = [(each.name, _state(each), each.fault or (each.done.line if each.done else "")) for each in ended]
    return Table("Steps", ("Step", "State", "What"), rows, "Nothing was done.")


def _state(ended: Ended) -> Any:
    if ended.fault:
        return badge("put off", "warn") if ended.is_busy else badge("failed", "bad")
    return badge("look at it", "warn") if ended.done and ended.done.is_finding else badge("in order", "good")


def _log(request: HttpRequest, words: str) -> None:
    row, _ = Revision.objects.get_or_create(id=1)
    by = request.user.pk
    assert by is not None  # noqa: S101 - these pages are for people who are logged in
    LogEntry.objects.log_actions(by, [row], CHANGE, words, single_object=True)
