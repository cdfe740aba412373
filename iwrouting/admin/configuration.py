"""The forms of the configuration: each save asks why, is judged as a whole, and undoes nobody else's change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from iwrouting.admin.attempting import attempt_of
from iwrouting.admin.attempts import Attempt, reason_context
from iwrouting.admin.deletion import DeletingAdmin
from iwrouting.admin.last_change import history_url, last_change
from iwrouting.admin.placing import place
from iwrouting.admin.rows_sent import leave_out, make_anew, sent_ids
from iwrouting.admin.show import admin_url
from iwrouting.admin.sides import Meanwhile, key_of, take_theirs
from iwrouting.admin.typed import M
from iwrouting.models import OpenChange, Revision
from iwrouting.models.contents import OBJECT_TYPES

SHOWN = "iw_shown"


def _send(request: HttpRequest, data: QueryDict) -> None:
    """Put something else in the place of what was posted."""
    request.POST = data  # type: ignore[assignment] # the stubs know only one that can't be changed


class HeldForm:
    """A form that is shown again: it is validated, and never saved."""

    def is_valid(self) -> bool:
        """False, with the errors found."""
        super().is_valid()  # type: ignore[misc] # stands before a class of forms
        return False


class ConfigAdmin(DeletingAdmin[M]):
    """Pages of rows of the configuration.

    A post is tried as one change (attempts.py). Where that is held, the same post is shown again as a form that is not
    saved, with what kept it.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form; what is posted is one change of the configuration, or is shown again with what kept it."""
        # Read before the rows are: a change that comes between is then met again, and never missed.
        vars(request)[SHOWN] = Revision.current()
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        self._take_theirs(request, object_id)

        def tried(attempt: Attempt, made: OpenChange) -> Any:
            attempt.must_change = True
            attempt.refuse_stale(self._rows_sent(request, object_id), made)
            return super(ConfigAdmin, self).changeform_view(request, object_id, form_url, extra_context)

        attempt, answer = self.attempt(request, tried)
        if not attempt.is_held:
            return answer
        own = [row for row in attempt.meanwhile if row.gone and self._is_own(row, object_id)]
        if own:
            return self._gone(request, attempt, own[0], extra_context)
        self._without_gone(request, attempt, object_id)
        return self._shown_again(request, object_id, form_url, extra_context)

    def _shown_again(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> Any:
        """The form with what was posted. Not by way of Django's view, whose transaction waits for the writer too."""
        view: Any = super()
        return view._changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form's class; of a post that was held, one that is not saved."""
        form = super().get_form(request, obj, change=change, **kwargs)
        attempt = attempt_of(request)
        return type(form.__name__, (HeldForm, form), {}) if attempt is not None and attempt.is_held else form

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        """With the reason and the effect for those who may save, and who changed the row last."""
        attempt = attempt_of(request)
        context |= {"delete_words": self.delete_words, "tables_left_out": self.left_out(obj)}
        if self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj):
            context |= reason_context(attempt, vars(request)[SHOWN])
        if attempt is not None and attempt.is_held:
            context |= place(attempt, context, OBJECT_TYPES[self.model])
        if obj is not None:
            context["last_change"] = last_change(OBJECT_TYPES[self.model], obj.pk)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """The change list of this row."""
        return HttpResponseRedirect(history_url(OBJECT_TYPES[self.model], object_id))

    def left_out(self, obj: M | None) -> str:
        """What is said of a table that is too long for the page; empty where none is."""
        return ""

    def rows_behind(self, pk: int) -> list[tuple[str, int]]:
        """The rows of which nobody else may have changed one since the page of this row was shown."""
        return [(OBJECT_TYPES[self.model], pk)]

    def _is_own(self, row: Meanwhile, object_id: str | None) -> bool:
        return (row.object_type, str(row.pk)) == (OBJECT_TYPES[self.model], object_id)

    def _tables(self, request: HttpRequest, object_id: str | None) -> list[tuple[str, Any]]:
        """The tables of rows of the configuration on this page: prefix and class of their formsets."""
        row = self.get_object(request, object_id) if object_id else None
        found = self.get_formsets_with_inlines(request, row)
        return [(each.get_default_prefix(), each) for each, inline in found if inline.model in OBJECT_TYPES]

    def _rows_sent(self, request: HttpRequest, object_id: str | None) -> list[tuple[str, int]]:
        pk = key_of(object_id)
        own = [] if pk is None else self.rows_behind(pk)
        for prefix, formset in self._tables(request, object_id):
            own += [(OBJECT_TYPES[formset.model], pk) for pk in sent_ids(request.POST, prefix).values()]
        return own

    def _take_theirs(self, request: HttpRequest, object_id: str | None) -> None:
        """Put the stored values into the post where those were chosen."""
        row = self.get_object(request, object_id) if object_id else None
        data = request.POST.copy()
        if row is not None:
            names = flatten_fieldsets(self.get_fieldsets(request, row))
            take_theirs(data, self.get_form(request, row, change=True, fields=names)(instance=row))
        for prefix, formset in self._tables(request, object_id):
            leave_out(data, prefix)
            rows = formset.model._default_manager.in_bulk(list(sent_ids(data, prefix).values()))
            for number, pk in sent_ids(data, prefix).items():
                if pk in rows:
                    take_theirs(data, formset.form(instance=rows[pk], prefix=f"{prefix}-{number}"))
        _send(request, data)

    def _without_gone(self, request: HttpRequest, attempt: Attempt, object_id: str | None) -> None:
        """Rows that were deleted meanwhile stand as new ones, unless it is chosen to leave them out."""
        gone = {row.pk: row for row in attempt.meanwhile if row.gone}
        data = request.POST.copy()
        for prefix, formset in self._tables(request, object_id) if gone else ():
            names = make_anew(data, prefix, gone, formset.fk.name)
            attempt.lost += [(gone[pk], name) for pk, name in names.items()]
        _send(request, data)

    def _gone(
        self, request: HttpRequest, attempt: Attempt, row: Meanwhile, extra_context: dict[str, Any] | None
    ) -> Any:
        """The object itself was deleted meanwhile: what was typed stands on the form that makes a new one."""
        model = str(self.opts.model_name)
        if not self.has_add_permission(request):
            self.message_user(request, f"{row.told()}. Nothing was saved.", messages.ERROR)
            return HttpResponseRedirect(admin_url(model, "changelist"))
        attempt.meanwhile = []
        attempt.problems.append(f"{row.told()}. What you typed stands below: to save it is to make a new one.")
        data = request.POST.copy()
        for name in self.fixed:
            data.setdefault(name, str(row.content.get(name, "")))
        for prefix, formset in self._tables(request, None):
            make_anew(data, prefix, sent_ids(data, prefix).values(), formset.fk.name)
        _send(request, data)
        return self._shown_again(request, None, admin_url(model, "add"), extra_context)
