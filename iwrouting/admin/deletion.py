"""Deleting a row of the configuration: what would be served then, why it goes, and nobody else's change lost."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib import messages
from django.db.models import CASCADE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from iwrouting.admin.attempting import AttemptingAdmin
from iwrouting.admin.attempts import Attempt, Held, reason_context
from iwrouting.admin.show import admin_url
from iwrouting.admin.sides import key_of, meanwhile
from iwrouting.admin.typed import M
from iwrouting.models import OpenChange, Revision
from iwrouting.models.contents import OBJECT_TYPES

TYPED = "typed_name"


class DeletingAdmin(AttemptingAdmin[M]):
    """The page that deletes one row. `delete_words`: what the link, the heading and the button say."""

    delete_words = "Delete"
    delete_confirmation_template = "admin/iwrouting/delete_confirmation.html"

    def must_type(self, obj: M) -> str:
        """What is to be typed before this row may go; empty for nothing."""
        return ""

    def told_of(self, obj: M) -> list[str]:
        """What is to be known before this row goes, a sentence each."""
        return []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, with what would be served then; what is posted is one change of the configuration."""
        shown = Revision.current()
        row = self.get_object(request, object_id)
        if row is None or not self.has_delete_permission(request, row):
            return self._not_there(request, object_id) or super().delete_view(request, object_id, extra_context)
        extra: dict[str, Any] = {
            "must_type": self.must_type(row),
            "told": self.told_of(row),
            "delete_words": self.delete_words,
            "title": f"{self.delete_words} {row._meta.verbose_name} {row}",
        }
        extra |= extra_context or {}

        def tried(attempt: Attempt, made: OpenChange) -> HttpResponse:
            if request.method == "POST":
                attempt.refuse_stale(self._rows_going(row), made)
                _require_name(attempt, request.POST.get(TYPED, ""), extra["must_type"])
                return super(DeletingAdmin, self).delete_view(request, object_id, extra)
            self.delete_model(request, row)
            return HttpResponse()

        attempt, answer = self.attempt(request, tried)
        if answer is not None:
            return answer
        problems = [*attempt.problems, *attempt.told_errors(), *(each.told_whole() for each in attempt.meanwhile)]
        extra |= reason_context(attempt, shown, is_sent=request.method == "POST")
        context = {**extra, "problems": problems, "typed": request.POST.get(TYPED, "")}
        return super().delete_view(_as_asked(request), object_id, context)

    def _rows_going(self, row: M) -> list[tuple[str, int]]:
        """The row, and those that would go with it."""
        found = [(OBJECT_TYPES[type(row)], row.pk)]
        for relation in row._meta.related_objects:
            if relation.on_delete is CASCADE and relation.related_model in OBJECT_TYPES:
                pks = relation.related_model._default_manager.filter(**{relation.field.name: row}).values_list("pk")
                found += [(OBJECT_TYPES[relation.related_model], pk) for (pk,) in pks]
        return found

    def _not_there(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """Where to, for a row that somebody has deleted; None for one that never was, or may not be deleted."""
        pk = key_of(object_id)
        if request.method != "POST" or pk is None or not self.has_delete_permission(request):
            return None
        gone = [each for each in meanwhile([(OBJECT_TYPES[self.model], pk)], 0) if each.gone]
        if not gone:
            return None
        self.message_user(request, f"{gone[0].told()}: there is nothing left to delete.", messages.WARNING)
        return HttpResponseRedirect(admin_url(str(self.opts.model_name), "changelist"))


def _require_name(attempt: Attempt, typed: str, name: str) -> None:
    if name and typed.strip() != name:
        attempt.problems.append(f"It is in use: type its name, {name}, into the box to go on.")
        raise Held


def _as_asked(request: HttpRequest) -> HttpRequest:
    """The same request as one that only asks: Django's view deletes for any other."""
    asked = copy(request)
    asked.method, asked.POST = "GET", QueryDict()
    return asked
