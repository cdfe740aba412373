"""Restoring: rows, or the whole configuration, as they were under a revision, as a plan on top of what is there now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from iwrouting.models import OpenChange, Revision
from iwrouting.models.contents import CONFIGURATION, Content, differences
from iwrouting.planning.applying import apply_plan
from iwrouting.planning.keeping import CLEARED, IN_FORCE, Kept, is_in_force, why_not_deleted, without_moved_secret
from iwrouting.planning.plan import Plan, plan_between
from iwrouting.snapshot.contents import Contents, contents_at, contents_now, named
from iwrouting.types import Operation

KEY = "key"
WHOLE = tuple(word for word in CONFIGURATION if word != KEY)
"""What a restore of the whole configuration brings back. API keys stay as they are: a revoked one stays revoked."""

Object = tuple[str, str]
"""A row by the word for its kind and its name: `("override", "manager for atlas")`."""


class NoSuchObject(LookupError):
    """No row of this name is there now, nor was there then; the text says so."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """What restoring `revision` would do. `kept` stays although it was otherwise; `gone` stops it."""

    revision: int
    plan: Plan
    kept: tuple[Kept, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What stops it whatever else is said: references to what is gone, in words that name both."""
        return (*self.plan.missing, *self.gone)


def plan_restore(revision: int, objects: Collection[Object] | None = None) -> Restoration:
    """Plan to bring these rows, or all but the API keys, to what they were under a revision.

    A row that was not there then is deleted; one that was deleted since comes back under its own key. Raises
    NoSuchRevision, NoSuchObject, and SnapshotRefused for rows that can't be read.
    """
    base = Revision.current()
    now, then = contents_now(), contents_at(revision)
    work = _Restoring(now, then, timezone.now())
    for word, name in _chosen(now, then, objects, revision):
        work.bring(word, name)
    plan = plan_between(now, work.after, base)
    return Restoration(revision, plan, tuple(work.kept), tuple(_gone(plan, then)))


def apply_restoration(restoration: Restoration, made: OpenChange) -> None:
    """Restore inside an open change, which notes the revision. Raises StalePlan, ValidationError with all faults."""
    if restoration.faults:
        raise ValidationError(list(restoration.faults))
    made.details["restored"] = restoration.revision
    apply_plan(restoration.plan, made)


def _chosen(now: Contents, then: Contents, objects: Collection[Object] | None, revision: int) -> list[Object]:
    there, was = named(now), named(then)
    if objects is None:
        return [(word, name) for word in WHOLE for name in dict.fromkeys([*was[word], *there[word]])]
    for word, name in objects:
        if word not in CONFIGURATION:
            raise NoSuchObject(f"There is no kind of objects called {word}: there are {', '.join(CONFIGURATION)}.")
        if name not in there[word] and name not in was[word]:
            raise NoSuchObject(f"There is no {word} {name}, and there was none under revision {revision}.")
        if word == KEY and (name not in there[word] or name not in was[word]):
            raise NoSuchObject(
                f"The key {name} was made or deleted since: a key that is gone stays gone. Make a new one."
            )
    return list(objects)


class _Restoring:
    """The configuration while rows are brought back one by one."""

    def __init__(self, now: Contents, then: Contents, at: datetime) -> None:
        self._now, self._then, self._at = now, then, at
        self._there, self._was = named(now), named(then)
        self._fresh = iter(range(-1, -1_000_000, -1))
        self.after = {word: dict(now[word]) for word in CONFIGURATION}
        self.kept: list[Kept] = []

    def bring(self, word: str, name: str) -> None:
        pk, old = self._there[word].get(name), self._was[word].get(name)
        if old is None:
            self._remove(word, name, self._there[word][name])
        elif pk is None:
            free = old not in self._now[word]
            self.after[word][old if free else next(self._fresh)] = self._then[word][old]
        else:
            self.after[word][pk] = self._changed(word, name, self._now[word][pk], self._then[word][old])

    def _remove(self, word: str, name: str, pk: int) -> None:
        if why := why_not_deleted(self._now, word, self._now[word][pk], self._at):
            self.kept.append(Kept(word, name, why))
        else:
            del self.after[word][pk]

    def _changed(self, word: str, name: str, before: Content, after: Content) -> Content:
        if word == "price" and is_in_force(before, self._at):
            if differences(before, after):
                self.kept.append(Kept(word, name, IN_FORCE))
            return before
        if word == KEY:
            # The key itself, and that it was revoked, are no configuration to go back to.
            return {**after, "sha256": before["sha256"], "revoked_at": before["revoked_at"] or after["revoked_at"]}
        settled = without_moved_secret(word, before, after)
        if settled is not after:
            self.kept.append(Kept(word, name, CLEARED))
        return settled


def _gone(plan: Plan, then: Contents) -> Iterator[str]:
    """Which rows would name an alias or a model that was there then and is gone."""
    was, there = _callable(then), _callable(plan.contents)
    for row in plan.changes:
        if row.operation is not Operation.DELETE:
            for field, name in _named_by(row.object_type, row.after or {}):
                if name in was and name not in there:
                    yield (
                        f"The {row.object_type} {row.name} names the {was[name]} {name} ({field}), which is gone: "
                        "restore that too, or choose another revision."
                    )


def _callable(contents: Contents) -> dict[str, str]:
    names = named(contents)
    return {name: word for word in ("model", "alias") for name in names[word]}


def _named_by(object_type: str, content: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What a row names by text alone, with the field."""
    if object_type == "alias":
        yield "default_model", str(content["default_model"])
        chain = content["chain"]
        yield from (("chain", str(rung)) for rung in (chain if isinstance(chain, list) else []))
    elif object_type == "override":
        yield "model", str(content["model"])
