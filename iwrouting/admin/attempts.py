"""One try to change the configuration by a page: with its reason, all or nothing, and told on the page where it failed.

A page runs what it wants to change through `Attempt.run`. What may not be, what is to be acknowledged first and what
is only to be previewed is taken back as a whole; the page is then shown again with everything that was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponseRedirect

from iwrouting.admin.effect import Effect, effect_between
from iwrouting.admin.fields import WIDE
from iwrouting.admin.sides import MAX_KEY, Meanwhile, meanwhile
from iwrouting.models import ChangedBySql, HistoryRow, OpenChange, change
from iwrouting.models.busy import BUSY, is_busy, wait_briefly
from iwrouting.models.history import MIN_REASON, REASON_LENGTH
from iwrouting.planning import ChangeRefused
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.types import Configuration, Via
from iwrouting.types.faults import Fault, Finding

T = TypeVar("T")
PREVIEW, WHAT_IF = "_preview", "_whatif"
"""The buttons that save nothing: what saving would change, and what it would have done (whatif.py)."""

SHOWN_FINDING = "shown_finding"
WAIT_S = 5
UNCHANGED = "What stands here is what is stored already: nothing was saved."


class ReasonForm(forms.Form):
    """What every change asks beside its own fields: why, on top of which revision, and what was acknowledged."""

    required_css_class = "required"

    change_reason = forms.CharField(
        label="Reason for change",
        min_length=MIN_REASON,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"size": WIDE}),
        help_text=f"Why you change it now, in {MIN_REASON} to {REASON_LENGTH} characters. "
        "The change list keeps it with your name.",
    )
    seen_revision = forms.IntegerField(min_value=0, max_value=MAX_KEY, required=False, widget=forms.HiddenInput)
    acknowledge = forms.BooleanField(label="Save anyway: I have seen these", required=False)


class Held(Exception):
    """What was posted can't be saved like this; the attempt says why."""


class Attempt:
    """A try by one request. After `run`, `is_held` says that nothing was saved, and the other members say why.

    `problems` are whole sentences; `faults` refuse, `findings` are to be acknowledged; `errors` is what else was
    wrong; `meanwhile` is what others did to the rows since the page showed them, as of revision `seen`. `effect`: what
    would change between the configurations `before` and `after`, where it came so far. `messages` are told once the
    change is committed. `lost` are rows that others deleted, each with the button by which it stays so. `must_change`:
    what changes nothing is held too.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.author = request.user.get_username()
        self.is_preview = PREVIEW in request.POST or WHAT_IF in request.POST
        self.form = ReasonForm(request.POST)
        self.form.is_valid()
        self.seen: int = self.form.cleaned_data.get("seen_revision") or 0
        self.meanwhile: list[Meanwhile] = []
        self.acknowledged = (
            frozenset(request.POST.getlist(SHOWN_FINDING))
            if self.form.cleaned_data.get("acknowledge")
            else frozenset[str]()
        )
        self.is_held = False
        self.is_open = False
        self.problems: list[str] = []
        self.messages: list[tuple[int, Any]] = []
        self.lost: list[tuple[Meanwhile, str]] = []
        self.errors: ValidationError | None = None
        self.faults: tuple[Fault, ...] = ()
        self.findings: tuple[Finding, ...] = ()
        self.must_change = False
        self.rows: list[HistoryRow] = []
        self.effect: Effect | None = None
        self.before: Configuration | None = None
        self.after: Configuration | None = None

    def run(self, act: Callable[[OpenChange], T]) -> T | None:
        """What `act` returns, with its change committed; None where it was held, and then nothing was changed.

        Without a reason it is tried all the same, so that all that is wrong is told at once.
        """
        answer = None
        with self._told(), transaction.atomic():
            wait_briefly(WAIT_S)
            answer = self._changed(act)
            if self.must_change and not self.rows and isinstance(answer, HttpResponseRedirect):
                self.problems.append(UNCHANGED)
                raise Held
            if self._is_rehearsal:
                raise Held
        if not self.is_held:
            return answer
        if self.rows and self.before is not None and self.after is not None:
            self.effect = effect_between(self.before, self.after, self.rows)
        return None

    @property
    def _is_rehearsal(self) -> bool:
        return self.is_preview or "change_reason" in self.form.errors

    def refuse_stale(self, rows: Collection[tuple[str, int]], made: OpenChange) -> None:
        """Raise Held where somebody has changed one of these rows since the page showed them (faults.md T12)."""
        self.meanwhile = meanwhile(rows, self.seen)
        if self.meanwhile:
            self.seen = made.base
            raise Held

    def _changed(self, act: Callable[[OpenChange], T]) -> T:
        reason = self.form.cleaned_data.get("change_reason") or "A preview, which is taken back"
        made = None
        try:
            with change(author=self.author, via=Via.ADMIN, reason=reason, acknowledged=self.acknowledged) as made:
                made.is_rehearsal = self._is_rehearsal
                self.before = _read()
                answer = act(made)
                self.after = _read()
            return answer
        finally:
            if made is not None:
                self.rows, self.findings = made.rows, made.findings

    @contextmanager
    def _told(self) -> Iterator[None]:
        is_held = self.is_open = True
        try:
            yield
        except Held:
            return
        except ChangedBySql as error:
            self.problems.append(f"Nothing can be saved now: {error}.")
        except ChangeRefused as error:
            self.faults = error.faults
        except ValidationError as error:
            self.errors = error
        except ProtectedError as error:
            self.problems.append(str(error.args[0]))
        except OperationalError as error:
            if not is_busy(error):
                raise
            self.problems.append(BUSY)
        else:
            is_held = False
        finally:
            self.is_open, self.is_held = False, is_held

    def shown_form(self) -> ReasonForm:
        """The form as it was sent; a preview misses no reason."""
        return ReasonForm(initial=dict(self.form.data.items())) if self.is_preview else self.form

    def told_errors(self) -> list[str]:
        """What was wrong, a line each, for a page without fields; first the row that others name, then who does."""
        faults = sorted(self.faults, key=lambda each: each.code != "in_use")
        return [*(each.told() for each in faults), *(self.errors.messages if self.errors else ())]

    @property
    def needs(self) -> list[str]:
        """What is missing at the end of the page before this can be saved; nothing for what saves nothing."""
        if not self.is_held or self.is_preview:
            return []
        no_reason = ["a reason for the change"] if "change_reason" in self.form.errors else []
        return [*no_reason, *(["the tick that you have seen the findings"] if self.asked else [])]

    @property
    def asked(self) -> tuple[Finding, ...]:
        """The findings that are still to be acknowledged."""
        return tuple(each for each in self.findings if not each.acknowledged_by(self.acknowledged))


def _read() -> Configuration | None:
    try:
        return load()
    except SnapshotRefused:
        return None


def reason_context(attempt: Attempt | None, shown: int, *, is_sent: bool = True) -> dict[str, Any]:
    """What the part of a page shows that asks for the reason: as it was sent, or empty at first."""
    if attempt is None or not is_sent:
        return {"reason_form": ReasonForm(), "seen_revision": shown, "attempt": attempt}
    form, needs = attempt.shown_form(), " and ".join(attempt.needs)
    return {"reason_form": form, "seen_revision": attempt.seen, "attempt": attempt, "needs": needs}
