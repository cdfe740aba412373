"""The whole configuration as plain contents: as stored now, as it was at a revision, as one that is proposed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Max

from iwrouting.conf.environment import environment_id
from iwrouting.models import Change, EnvironmentSnapshot, HistoryRow
from iwrouting.models.contents import CONFIGURATION, Content, content_of, name_of, row_of
from iwrouting.snapshot.assemble import Rows, assemble
from iwrouting.snapshot.load import read_all
from iwrouting.types import Configuration, EnvironmentFacts, Operation, Via

Contents = Mapping[str, Mapping[int, Content]]
"""By the word for a kind of rows (models/contents.py), then by the row's own key."""


class NoSuchRevision(LookupError):
    """History does not reach to this revision, or this environment was never seen; the text says what there is."""


def contents_now() -> Contents:
    """As committed now, read in one transaction. Raises SnapshotRefused for rows that can't be read."""
    rows, _ = read_all()
    return {word: {row.pk: content_of(row) for row in rows[word]} for word in CONFIGURATION}


def contents_at(revision: int) -> Contents:
    """As they were under a revision, from history. Raises NoSuchRevision."""
    first, last = known_revisions()
    if not first <= revision <= last:
        raise NoSuchRevision(f"There is no revision {revision}: history has the revisions {first} to {last}.")
    until = HistoryRow.objects.filter(revision__lte=revision).order_by()
    newest = until.values("object_type", "object_id").annotate(newest=Max("id")).values("newest")
    found: dict[str, dict[int, Content]] = {word: {} for word in CONFIGURATION}
    for row in HistoryRow.objects.filter(id__in=newest).exclude(operation=Operation.DELETE).order_by("object_id"):
        found[row.object_type][row.object_id] = json.loads(row.content)
    return found


def known_revisions() -> tuple[int, int]:
    """The first and the last revision that history holds; revision 0 is the empty configuration before all changes."""
    lines = Change.objects.filter(revision__isnull=False).order_by("revision")
    first, last = lines.first(), lines.last()
    if first is None or last is None or first.revision is None or last.revision is None:
        return 0, 0
    return (first.revision if first.via == Via.UPGRADE else first.revision - 1), last.revision


def revision_at(moment: datetime) -> int:
    """The last revision committed by a time: as-of reads by revision alone (design.md 7). Raises NoSuchRevision."""
    lines = Change.objects.filter(revision__isnull=False, at__lte=moment).order_by("-revision")
    found = lines.values_list("revision", flat=True).first()
    if found is not None:
        return found
    first, _ = known_revisions()
    if first == 0:
        return 0
    raise NoSuchRevision(f"History begins at revision {first}, after {moment:%Y-%m-%dT%H:%M:%SZ}.")


def configuration_of(contents: Contents, revision: int, environment: EnvironmentFacts | None = None) -> Configuration:
    """The configuration that these contents are, for the one resolver. `environment`: another than this process's.

    Raises SnapshotRefused for contents that break routing.
    """
    rows: Rows = {word: [row_of(word, pk, content) for pk, content in contents[word].items()] for word in CONFIGURATION}
    return assemble(rows, revision, environment)


def configuration_at(revision: int, environment: EnvironmentFacts | None = None) -> Configuration:
    """The configuration as of a revision. Raises NoSuchRevision or SnapshotRefused."""
    return configuration_of(contents_at(revision), revision, environment)


def environment_of(number: str) -> EnvironmentFacts:
    """The routing variables that stood under an `environment_id`. Raises NoSuchRevision."""
    found = EnvironmentSnapshot.objects.filter(id=number).first()
    if found is None:
        raise NoSuchRevision(f"No environment {number} was ever recorded.")
    values = json.loads(found.values)
    return EnvironmentFacts(id=environment_id(values), values=values)


def named(contents: Contents) -> dict[str, dict[str, int]]:
    """The rows' own keys by what people call them, for each kind."""
    return {word: {name_of(word, content): pk for pk, content in contents[word].items()} for word in CONFIGURATION}
