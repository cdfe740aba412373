"""Who changed a row last, and where the rest of its history stands."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from iwrouting.admin.show import moment
from iwrouting.models import Change, HistoryRow


@dataclass(frozen=True, slots=True)
class LastChange:
    """The line of the change list that a row was last written by. `history`: all lines of this row."""

    revision: int
    at: SafeString | str
    author: str
    via: str
    reason: str
    history: str


def last_change(object_type: str, pk: int) -> LastChange | None:
    """Who wrote a row last, or None for one that history does not know."""
    row = HistoryRow.objects.filter(object_type=object_type, object_id=pk).order_by("-id").first()
    line = Change.objects.filter(revision=row.revision).first() if row else None
    if row is None or line is None:
        return None
    return LastChange(row.revision, moment(row.at), line.author, line.via, line.reason, history_url(object_type, pk))


def history_url(object_type: str, pk: object) -> str:
    """The lines of the change list that are about one row."""
    return f"{reverse('admin:iwrouting_change_changelist')}?{urlencode({'object': f'{object_type}:{pk}'})}"
