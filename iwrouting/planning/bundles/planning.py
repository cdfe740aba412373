"""A bundle against the configuration: a present section is the whole truth, an absent one is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from iwrouting.models import Revision
from iwrouting.models.contents import Content, differences
from iwrouting.planning.bundles.faults import BundleFault, BundleRefused
from iwrouting.planning.bundles.reading import Bundle
from iwrouting.planning.keeping import CLEARED, IN_FORCE, Kept, is_in_force, why_not_deleted, without_moved_secret
from iwrouting.planning.plan import Plan, plan_wanted
from iwrouting.snapshot.contents import Contents, contents_now, named

NOT_PRUNED = "The bundle does not have it: it stays. Pruning (--prune, or the tick on the page) would delete it."


@dataclass(frozen=True, slots=True)
class BundlePlan:
    """What applying a bundle would do, and what it leaves as it is although the bundle says otherwise."""

    plan: Plan
    kept: tuple[Kept, ...]


def plan_bundle(bundle: Bundle, *, prune: bool = False) -> BundlePlan:
    """Plan a bundle on top of what is stored now. `prune`: what a present section does not have is deleted.

    Raises BundleRefused for what can't be done whatever the rest is, and SnapshotRefused for rows that can't be read.
    """
    base = Revision.current()
    now = contents_now()
    merging = _Merging(bundle, now, prune, timezone.now())
    wanted = {word: dict(merging.section(word)) for word in bundle.sections}
    if merging.faults:
        raise BundleRefused(merging.faults)
    return BundlePlan(plan_wanted(now, base, wanted), tuple(merging.kept))


class _Merging:
    """A bundle and what is stored, side by side."""

    def __init__(self, bundle: Bundle, now: Contents, prune: bool, at: datetime) -> None:
        self._bundle, self._now, self._prune, self._at = bundle, now, prune, at
        self._names = named(now)
        self.kept: list[Kept] = []
        self.faults: list[BundleFault] = []

    def section(self, word: str) -> Iterator[tuple[str, Content | None]]:
        said = self._bundle.sections[word]
        for name, content in said.items():
            pk = self._names[word].get(name)
            yield name, content if pk is None else self._changed(word, name, self._now[word][pk], content)
        for name, pk in self._names[word].items():
            if name not in said and self._goes(word, name, self._now[word][pk]):
                yield name, None

    def _changed(self, word: str, name: str, before: Content, after: Content) -> Content:
        if word == "price" and is_in_force(before, self._at) and differences(before, after):
            self.faults.append(self._bundle.fault(word, name, IN_FORCE))
        settled = without_moved_secret(word, before, after)
        if settled is not after:
            self.kept.append(Kept(word, name, CLEARED))
        return settled

    def _goes(self, word: str, name: str, content: Content) -> bool:
        why = why_not_deleted(self._now, word, content, self._at) if self._prune else NOT_PRUNED
        if why:
            self.kept.append(Kept(word, name, why))
        return not why
