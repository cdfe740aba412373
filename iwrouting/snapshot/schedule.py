"""What was scheduled and took effect, as lines of the change list, from history alone.

A version of a row holds from its revision until the next. What it schedules takes effect if the moment lies between
the two: what was changed, disabled or deleted before is not told, and what was changed after it is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

from django.db.models import Q

from iwrouting.models import ApiKey, Change, HistoryRow, Override, Price, Revision
from iwrouting.snapshot.lines import Line
from iwrouting.types import ChangeKind, Operation

STARTS, EXPIRES = "starts", "expires"
TYPES = ("override", "price", "key")
EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """What a row was from `since` to `until`; `content` None: it was not there."""

    row: HistoryRow
    content: Mapping[str, Any] | None
    since: datetime
    until: datetime

    def in_time(self, moment: datetime) -> bool:
        """Whether the row was this when a moment came; at `since` itself it came with the change."""
        return self.since < moment < self.until


def took_effect(since: datetime | None, until: datetime) -> list[Line]:
    """What took effect after `since` (None: since history began) and up to `until`, in order. Raises DatabaseError."""
    rows = HistoryRow.objects.filter(object_type__in=TYPES).order_by("object_type", "object_id", "id")
    if since is not None and not Revision.standing().is_touched:
        # What was changed by SQL is not what history says: then all of history is asked.
        rows = rows.filter(_candidates(since, until))
    found = [
        (moment, what, version)
        for version in _versions(rows.iterator())
        for moment, what in _events(version)
        if (since is None or since < moment) and moment <= until
    ]
    authors = _authors({version.row.revision for _, _, version in found})
    return [_line(*each, authors) for each in sorted(found, key=lambda each: each[0])]


def _candidates(since: datetime, until: datetime) -> Q:
    """Rows that schedule something for this time, and all that changed meanwhile and may have done so before."""
    window = (since, until)
    stored = {
        "override": Override.objects.filter(Q(starts_at__range=window) | Q(expires_at__range=window)),
        "price": Price.objects.filter(valid_from__range=window),
        "key": ApiKey.objects.filter(expires_at__range=window),
    }
    known = Change.objects.filter(revision__isnull=False, at__lte=since).order_by("-at")
    base = known.values_list("revision", flat=True).first() or 0
    wanted = Q(pk__in=())
    for word, rows in stored.items():
        changed = HistoryRow.objects.filter(object_type=word, revision__gt=base).values_list("object_id", flat=True)
        wanted |= Q(object_type=word, object_id__in={*rows.values_list("pk", flat=True), *changed})
    return wanted


def _versions(rows: Iterable[HistoryRow]) -> Iterator[Version]:
    for _, of_one in groupby(rows, key=lambda row: (row.object_type, row.object_id)):
        for row, following in pairwise([*of_one, None]):
            assert row is not None  # noqa: S101 - None stands last alone
            content = None if row.operation == Operation.DELETE else json.loads(row.content)
            yield Version(row, content, row.at, EVER if following is None else following.at)


def _events(version: Version) -> Iterator[tuple[datetime, str]]:
    content = version.content
    if content is None:
        return
    starts, expires = _moments(version.row.object_type, content)
    if starts is not None and version.in_time(starts):
        yield starts, STARTS
    if expires is not None and version.in_time(expires):
        yield expires, EXPIRES


def _moments(object_type: str, content: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """When a row begins and ceases to count, where it does so by its own times."""
    if object_type == "price":
        return _moment(content["valid_from"]), None
    if object_type == "key":
        expires, revoked = _moment(content["expires_at"]), _moment(content["revoked_at"])
        return None, expires if revoked is None or (expires is not None and expires < revoked) else None
    if not content["enabled"] or not content["model"].strip():
        return None, None
    return _moment(content["starts_at"]), _moment(content["expires_at"])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _authors(revisions: Collection[int]) -> dict[int, str]:
    lines = Change.objects.filter(revision__in=revisions).values_list("revision", "author")
    return {revision: author for revision, author in lines if revision is not None}


def _line(moment: datetime, what: str, version: Version, authors: Mapping[int, str]) -> Line:
    row, content = version.row, version.content or {}
    author = authors.get(row.revision, "")
    model = f" -> {content['model']}" if row.object_type == "override" else ""
    by = f", by {author}" if author else ""
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Line(
        event=f"{row.object_type}:{row.object_id}:{what}:{text}",
        kind=ChangeKind.SCHEDULE,
        at=moment,
        reason=f"{row.object_type} {row.name}{model} {what}, as was set with revision {row.revision}{by}",
        details={
            "object_type": row.object_type,
            "object_id": row.object_id,
            "name": row.name,
            "what": what,
            "revision": row.revision,
        },
    )
