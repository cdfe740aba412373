"""Two people at one object: whose values differ, and a form that takes the one or the other's (faults.md T12)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.http import QueryDict

from iwrouting.admin.effect import label_of, plain_value
from iwrouting.models import Change, HistoryRow
from iwrouting.models.contents import CONFIGURATION, HIDDEN, content_of
from iwrouting.types import Operation

TAKE = "take-"
THEIRS, MINE = "theirs", "mine"
MAX_KEY = 2**63 - 1
MAX_DIGITS = 19
Rows = Collection[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What became of a row after a page had shown it.

    `old`: the former values of what was changed. `content`: the whole row as it is now, of one that is gone as it was.
    """

    object_type: str
    pk: int
    name: str
    revision: int
    at: datetime
    author: str
    reason: str
    old: dict[str, Any]
    content: dict[str, Any]
    made: bool
    gone: bool

    def told(self) -> str:
        """Who made, changed or deleted it, when and why."""
        what = "deleted" if self.gone else "made" if self.made else "changed"
        return (
            f"The {self.object_type} {self.name} was {what} by {self.author} at {self.at:%Y-%m-%d %H:%M:%S} UTC "
            f"(revision {self.revision}: {self.reason})"
        )

    def told_whole(self) -> str:
        """The same as a sentence, with each value that became another."""
        now = self.content
        values = [
            f"{label_of(self.object_type, name)}: {plain_value(name, old)} → {plain_value(name, now.get(name))}"
            for name, old in self.old.items()
            if name not in HIDDEN and old != now.get(name)
        ]
        return f"{self.told()}. {'; '.join(values)}" if values and not self.gone else f"{self.told()}."


@dataclass(frozen=True, slots=True)
class Choice:
    """One field that two people have given different values. `name` is that of the radio buttons, `prefer` the one
    that is ticked at first: theirs where only they have touched the field."""

    name: str
    label: str
    theirs: str
    mine: str
    prefer: str


def key_of(text: str | None) -> int | None:
    """A row's key as it was sent, or None for anything else."""
    found = int(text) if text is not None and text.isdecimal() and len(text) <= MAX_DIGITS else None
    return found if found is not None and found <= MAX_KEY else None


def meanwhile(rows: Rows, seen: int) -> list[Meanwhile]:
    """What became of these rows after a revision, for those that are no longer as they were."""
    by_row: dict[tuple[str, int], list[HistoryRow]] = {}
    for object_type in {word for word, _ in rows}:
        pks = [pk for word, pk in rows if word == object_type]
        later = HistoryRow.objects.filter(object_type=object_type, object_id__in=pks, revision__gt=seen)
        for row in later.order_by("id"):
            by_row.setdefault((object_type, row.object_id), []).append(row)
    last = {history[-1].revision for history in by_row.values()}
    lines = {line.revision: line for line in Change.objects.filter(revision__in=last)}
    return [_told(history, lines.get(history[-1].revision)) for history in by_row.values()]


def _told(history: list[HistoryRow], line: Change | None) -> Meanwhile:
    last = history[-1]
    old: dict[str, Any] = {}
    for row in reversed(history):
        old |= {name: before for name, (before, _) in json.loads(row.changed).items()}
    return Meanwhile(
        object_type=last.object_type,
        pk=last.object_id,
        name=last.name,
        revision=last.revision,
        at=last.at,
        author=line.author if line else "somebody",
        reason=line.reason if line else "no reason is known",
        old=old,
        content=json.loads(last.content),
        made=history[0].operation == Operation.CREATE,
        gone=last.operation == Operation.DELETE,
    )


def choices(form: Any, row: Meanwhile) -> list[Choice]:
    """The fields of a bound form in which its values and the stored ones differ, where somebody has changed these."""
    stored = CONFIGURATION[row.object_type]._default_manager.filter(pk=row.pk).first()
    if stored is None:
        return []
    theirs = type(form)(instance=stored, prefix=form.prefix)
    sent = json.loads(json.dumps(content_of(form.instance), cls=DjangoJSONEncoder))
    found = []
    for field in theirs:
        mine = form[field.name]
        if field.name not in row.old or field.field.widget.is_hidden or not _differ(field, mine):
            continue
        untouched = field.name not in form.errors and sent.get(field.name) == row.old[field.name]
        name, prefer = f"{TAKE}{field.html_name}", THEIRS if untouched else MINE
        found.append(Choice(name, str(field.label), shown(field), shown(mine), prefer))
    return found


def _differ(theirs: forms.BoundField, mine: forms.BoundField) -> bool:
    return bool(mine.field.has_changed(theirs.initial, mine.data))


def shown(field: forms.BoundField) -> str:
    """A field's value as people read it: the words of what is chosen, lines as they are."""
    value = field.value()
    if isinstance(value, bool) or isinstance(field.field, forms.BooleanField):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    known = {str(key): str(label) for key, label in getattr(field.field, "choices", ())}
    many = [part for part in value if part not in (None, "")] if isinstance(value, list | tuple) else [value]
    words = [known.get(str(part), str(part)) for part in many if part not in (None, "")]
    return " ".join(words) or "empty"


def take_theirs(data: QueryDict, form: Any) -> None:
    """Put the stored values into what was sent, for the fields of an unbound form of which theirs were chosen."""
    for field in form:
        if data.get(f"{TAKE}{field.html_name}") == THEIRS:
            data.pop(field.html_name, None)
            for name, values in sent_as(field):
                data.setlist(name, values)


def sent_as(field: forms.BoundField) -> Iterator[tuple[str, list[str]]]:
    """What a browser would send for a field that nobody has touched."""
    widget, value = field.field.widget, field.value()
    if isinstance(widget, forms.MultiWidget):
        parts: Any = value if isinstance(value, list) else widget.decompress(value)
        for number, (inner, part) in enumerate(zip(widget.widgets, parts, strict=True)):
            yield f"{field.html_name}_{number}", _texts(inner, part)
    elif isinstance(widget, forms.CheckboxInput):
        if value:
            yield field.html_name, ["on"]
    else:
        yield field.html_name, _texts(widget, value)


def _texts(widget: forms.Widget, value: Any) -> list[str]:
    found = widget.format_value(value)
    many: Iterable[Any] = found if isinstance(found, list | tuple) else [found]
    return ["" if part is None else str(part) for part in many]
