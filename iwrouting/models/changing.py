"""The one call by which the configuration changes, whatever the way: admin, API, command, import (design.md 7).

    with change(author="ann", via=Via.CLI, reason="gpt-5.1 is cheaper") as made:
        alias.default_model = "gpt-5.1"
        alias.save()

All that is saved or deleted inside is one revision, in one transaction with its line of the change list and history;
where every row ends as it was, it is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models.signals import post_save, pre_delete, pre_save
from django.utils import timezone

from iwrouting.models.base import Revision
from iwrouting.models.contents import CONFIGURATION, OBJECT_TYPES
from iwrouting.models.history import MIN_REASON, REASON_LENGTH, Change, HistoryRow
from iwrouting.models.remembering import history_rows
from iwrouting.types import ChangeKind, Via
from iwrouting.types.faults import Finding

BY_SQL = "the configuration was changed by SQL"


class ChangeRequired(RuntimeError):
    """A row of the configuration was to be written outside of a change."""


class ChangedBySql(RuntimeError):
    """Somebody changed the configuration by SQL, and that waits to be adopted; the text says how."""


@dataclass(slots=True)
class OpenChange:
    """A change while it is made. `base` is the revision before it, `rows` its history once it ends.

    `acknowledged`: the findings that the author has seen, by key or code; None: nobody is asked, and what the change
    brings (`findings`) is noted alone. `details` is stored with the change, as JSON, and `event`: a name under which no
    second change is stored. A rehearsal is taken back: nobody need have seen its findings.
    """

    using: str
    author: str
    via: Via
    reason: str
    kind: ChangeKind
    base: int
    not_before: datetime
    acknowledged: frozenset[str] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    event: str | None = None
    touched: set[tuple[str, int]] = field(default_factory=set)
    rows: list[HistoryRow] = field(default_factory=list)
    raises: bool = False
    is_rehearsal: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def revision(self) -> int:
        """The revision that this change becomes."""
        return self.base + 1

    def raise_anyway(self) -> None:
        """Raise the revision though no row changes: every worker reads the configuration anew."""
        self.raises = True


Check = Callable[[OpenChange], None]
_open: ContextVar[Mapping[str, OpenChange]] = ContextVar("open_changes", default={})  # noqa: B039 - never written to
_checks: list[Check] = []


def connect_check(check: Check) -> None:
    """Have every change looked at before its commit. `check` raises ValidationError to refuse it."""
    if check not in _checks:
        _checks.append(check)


def open_change(using: str = DEFAULT_DB_ALIAS) -> OpenChange | None:
    """The change that is open here, or None."""
    return _open.get().get(using)


def check_reason(reason: str) -> str:
    """The reason without the blanks around it. Raises ValidationError for one that is too short or too long."""
    text = reason.strip()
    if not MIN_REASON <= len(text) <= REASON_LENGTH:
        raise ValidationError(
            {"reason": f"Say why in {MIN_REASON} to {REASON_LENGTH} characters: the change list keeps it."}
        )
    return text


@contextmanager
def change(
    *,
    author: str,
    via: Via,
    reason: str,
    using: str = DEFAULT_DB_ALIAS,
    kind: ChangeKind = ChangeKind.CONFIGURATION,
    acknowledged: Collection[str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Iterator[OpenChange]:
    """Open a change: a transaction that holds the counter's lock until its end. Inside another one it joins that.

    `acknowledged`, where a person is in front: what that person has acknowledged of the findings, by key or code; one
    that is not among them refuses the change. None, for ways without a person: they are noted with the change.

    Raises ValidationError for a missing reason, a change that its checks refuse or a row that would get another
    name, and ChangedBySql while a change by SQL waits. An error inside leaves all as it was.
    """
    if (outer := open_change(using)) is not None:
        yield outer
        return
    text = check_reason(reason)
    with transaction.atomic(using=using):
        counter = Revision.lock(using)
        if counter.is_touched and kind is not ChangeKind.ADOPTION:
            raise ChangedBySql(by_sql(counter))
        made = OpenChange(using, author[:200], via, text, kind, counter.number, counter.changed_at)
        made.acknowledged = None if acknowledged is None else frozenset(acknowledged)
        made.details = dict(details or {})
        token = _open.set({**_open.get(), using: made})
        try:
            yield made
            _finish(made)
        finally:
            _open.reset(token)


def by_sql(counter: Revision) -> str:
    """What is told of a configuration that somebody changed by SQL."""
    return (
        f"{BY_SQL} after revision {counter.number}, and that is in force nowhere: look at "
        "it with `manage.py config_adopt --dry-run`, then adopt it or discard it"
    )


def _finish(made: OpenChange) -> None:
    if not made.touched and not made.raises:
        return
    at = max(timezone.now(), made.not_before)
    made.rows = history_rows(made.using, made.touched, made.revision, at)
    counter = Revision.objects.using(made.using).filter(id=1)
    if not made.rows and not made.raises:
        # Rows were saved as they are, or a savepoint took all back: the touches are ours, and nothing became otherwise.
        counter.update(accounted=models.F("touches"))
        return
    for check in _checks:
        check(made)
    Change.objects.using(made.using).create(
        at=at,
        revision=made.revision,
        kind=made.kind,
        author=made.author,
        via=made.via,
        reason=made.reason,
        details=json.dumps(made.details, sort_keys=True),
        event=made.event,
    )
    counter.update(number=made.revision, changed_at=at, accounted=models.F("touches"))
    Revision.tell(made.using, made.revision)


def _require(sender: type[models.Model], using: str, **_: object) -> None:
    if open_change(using) is None:
        raise ChangeRequired(
            f"a {sender._meta.verbose_name} can't be written like this, since nobody would know who did it and why: "
            "put it inside `with change(author=..., via=..., reason=...)` of iwrouting.models"
        )


def _touch(sender: type[models.Model], instance: models.Model, using: str, **_: object) -> None:
    if (made := open_change(using)) is not None and instance.pk is not None:
        made.touched.add((OBJECT_TYPES[sender], instance.pk))


for _model in CONFIGURATION.values():
    # Signals and not save(): loaddata and cascades go round that.
    for _signal in (pre_save, pre_delete):
        _signal.connect(_require, sender=_model, dispatch_uid="iwrouting.change")
    for _signal in (pre_delete, post_save):
        _signal.connect(_touch, sender=_model, dispatch_uid="iwrouting.touch")
