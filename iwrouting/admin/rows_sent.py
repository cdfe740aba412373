"""The rows of a table on a page, as they were sent: which they are, and the same without some (Django's formsets)."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.http import QueryDict

from iwrouting.admin.sides import TAKE, THEIRS, key_of

Row = dict[str, list[str]]


def sent_ids(data: QueryDict, prefix: str) -> dict[int, int]:
    """The keys of the stored rows among those that were sent, by their place in the table."""
    return {place: int(row["id"][0]) for place, row in _rows(data, prefix).items() if _is_stored(row)}


def make_anew(data: QueryDict, prefix: str, gone: Collection[int], parent: str) -> dict[int, str]:
    """Turn rows that are stored no more into new ones; by their keys, the buttons by which they are left out.

    `parent`: the field that names the row on whose page the table stands; it may be stored no more itself.
    """
    sent = _rows(data, prefix).values()
    pks = [int(row["id"][0]) if _is_stored(row) else None for row in sent]
    lost = {pk: row for pk, row in zip(pks, sent, strict=True) if pk is not None and pk in gone}
    kept = [row for pk, row in zip(pks, sent, strict=True) if pk not in lost]
    kept.sort(key=lambda row: not _is_stored(row))  # stored rows come first, as the number of them says
    left = {"id", "DELETE", parent}
    anew = [{name: values for name, values in row.items() if name not in left} for row in lost.values()]
    _write(data, prefix, [*kept, *anew], sum(_is_stored(row) for row in kept))
    return {pk: f"{TAKE}{prefix}-{place}" for place, pk in enumerate(lost, len(kept))}


def leave_out(data: QueryDict, prefix: str) -> None:
    """Take the new rows out for which was chosen that they stay deleted."""
    rows = [row for place, row in _rows(data, prefix).items() if data.get(f"{TAKE}{prefix}-{place}") != THEIRS]
    _write(data, prefix, rows, sum(_is_stored(row) for row in rows))


def _rows(data: QueryDict, prefix: str) -> dict[int, Row]:
    form = re.compile(rf"{re.escape(prefix)}-(\d{{1,6}})-(.+)")
    found: dict[int, Row] = {}
    for name, values in data.lists():
        if match := form.fullmatch(name):
            found.setdefault(int(match[1]), {})[match[2]] = list(map(str, values))
    return dict(sorted(found.items()))


def _is_stored(row: Row) -> bool:
    return key_of(row.get("id", [""])[0]) is not None


def _write(data: QueryDict, prefix: str, rows: list[Row], stored: int) -> None:
    start = re.compile(rf"{re.escape(prefix)}-\d{{1,6}}-.+")
    for name in [name for name in data if start.fullmatch(name)]:
        del data[name]
    for place, row in enumerate(rows):
        for name, values in row.items():
            data.setlist(f"{prefix}-{place}-{name}", values)
    data[f"{prefix}-TOTAL_FORMS"], data[f"{prefix}-INITIAL_FORMS"] = str(len(rows)), str(stored)
