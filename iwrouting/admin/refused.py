"""A change that was refused, on its own page: what was typed stays, and each fault stands at its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from django import forms
from django.contrib import messages
from django.contrib.messages import get_messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from iwrouting.models import ChangedBySql
from iwrouting.models.contents import OBJECT_TYPES, content_of, name_of
from iwrouting.planning import ChangeRefused

REFUSED = "_iwrouting_refused"
MOST_NOTES = 10


class Changes(Protocol):
    """A page whose posts are changes."""

    def changing(self, request: HttpRequest) -> Any:
        """The change of a request."""


def attempted(page: Changes, request: HttpRequest, view: Callable[[], Any], refused: Callable[[], Any]) -> Any:
    """What `view` answers inside the page's change, with notes of what the change brings.

    Where it is refused nothing was changed, and `refused` answers.
    """
    told = len(_queue(request))
    try:
        with page.changing(request) as made:
            answer = view()
    except (ValidationError, ChangedBySql) as error:
        # What the view said of its success did not happen.
        del _queue(request)[told:]
        setattr(request, REFUSED, error)
        return refused()
    for finding in made.findings[:MOST_NOTES] if made else ():
        messages.warning(request, f"Note: {finding.message}")
    return answer


def back(request: HttpRequest) -> HttpResponse:
    """The page again, under what refused the change."""
    for line in _lines(getattr(request, REFUSED)):
        messages.error(request, line)
    return HttpResponseRedirect(request.get_full_path())


def told_in(request: HttpRequest, form: type[forms.ModelForm]) -> type[forms.ModelForm]:  # type: ignore[type-arg] # takes none at run time
    """A form class whose forms say what refused this request's change, if something did."""
    error = getattr(request, REFUSED, None)
    return form if error is None else type(form.__name__, (_Refused, form), {"refusal": error})


class _Refused(forms.ModelForm):  # type: ignore[type-arg] # takes none at run time
    """Puts a refusal at the fields that it names, and the rest above the form."""

    refusal: ValidationError | ChangedBySql

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # Django's own hook for what needs the instance
        own, others = self._told()
        for field, texts in own.items():
            self.add_error(field if field in self.fields else None, [ValidationError(text) for text in texts])
        if others:
            self.add_error(None, [ValidationError(text) for text in others])

    def _told(self) -> tuple[dict[str, list[str]], list[str]]:
        if not isinstance(self.refusal, ChangeRefused):
            return {}, _lines(self.refusal)
        word = OBJECT_TYPES[type(self.instance)]
        try:
            name = name_of(word, content_of(self.instance))
        except ObjectDoesNotExist:
            name = ""
        return self.refusal.errors_of(word, name)


def _lines(error: ValidationError | ChangedBySql) -> list[str]:
    if isinstance(error, ChangedBySql):
        return [f"Nothing was changed: {error}."]
    return list(error.messages)


def _queue(request: HttpRequest) -> list[Any]:
    storage: Any = get_messages(request)
    queued: list[Any] = storage._queued_messages
    return queued
