"""Actions on several rows of a list: asked once more on a page of their own, with reason and effect, as one change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from iwrouting.admin.attempting import AttemptingAdmin
from iwrouting.admin.attempts import Attempt, reason_context
from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.typed import M
from iwrouting.models import Model, OpenChange, Override, Project, Revision
from iwrouting.models.contents import OBJECT_TYPES

S = TypeVar("S", Model, Override, Project)
CONFIRMED = "_confirmed"


@dataclass(frozen=True)
class Doing:
    """What is to be done to the chosen rows. `act` does it and returns what is told; `form` asks for what it needs."""

    name: str
    verb: str
    act: Callable[[OpenChange], str]
    form: forms.Form | None = None
    note: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether all that it needs was given."""
        return self.form is None or self.form.is_valid()


def confirm(page: AttemptingAdmin[M], request: HttpRequest, rows: Sequence[M], doing: Doing) -> HttpResponse | None:
    """Ask for the reason, with what the action would do; None once it is done, all or nothing."""
    shown = Revision.current()
    sent = CONFIRMED in request.POST

    def tried(attempt: Attempt, made: OpenChange) -> bool:
        if sent:
            attempt.refuse_stale([(OBJECT_TYPES[type(row)], row.pk) for row in rows], made)
        if doing.is_ready:
            attempt.messages.append((messages.SUCCESS, doing.act(made)))
        return doing.is_ready

    attempt, done = page.attempt(request, tried)
    if done:
        return None
    context = {
        **page.admin_site.each_context(request),
        **reason_context(attempt, shown, is_sent=sent),
        "title": f"{doing.verb} {page.counted(rows)}?",
        "opts": page.opts,
        "doing": doing,
        "rows": rows,
        "checkbox": ACTION_CHECKBOX_NAME,
        "problems": [*attempt.problems, *attempt.told_errors(), *(each.told_whole() for each in attempt.meanwhile)],
    }
    return TemplateResponse(request, "admin/iwrouting/confirm.html", context)


class SwitchableAdmin(ConfigAdmin[S]):
    """Rows with an `enabled` switch, and actions that turn it for several rows as one change."""

    actions: Any = ("enable", "disable")

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[S]) -> HttpResponse | None:
        """Enable the chosen rows."""
        return self._switch(request, list(queryset), "Enable", enabled=True)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[S]) -> HttpResponse | None:
        """Disable the chosen rows."""
        return self._switch(request, list(queryset), "Disable", enabled=False)

    def _switch(self, request: HttpRequest, chosen: list[S], verb: str, *, enabled: bool) -> HttpResponse | None:
        rows = [row for row in chosen if row.enabled is not enabled]

        def act(_made: OpenChange) -> str:
            for row in rows:
                row.enabled = enabled
                row.save()
                self.log_change(request, row, [{"changed": {"fields": ["Enabled"]}}])
            return f"{verb}d {self.counted(rows)}."

        return confirm(self, request, rows, Doing(verb.lower(), verb, act))
