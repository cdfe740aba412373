"""Wherever random edits have led: the bundle of it reads back, changes nothing, and every revision can be restored."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from iwrouting.conf.environment import variables
from iwrouting.models import Revision
from iwrouting.planning import rehearse
from iwrouting.planning.bundles import plan_bundle, read_bundle, write_bundle
from iwrouting.planning.restoring import apply_restoration, plan_restore
from iwrouting.resolver.faults.targets import SWITCHED_OFF
from iwrouting.snapshot.contents import contents_at, contents_now
from tests.planning.cast import by_ann
from tests.planning.test_walk import SEED, STEPS
from tests.planning.walk import Walk

RESTORED = 4
"""Revisions of one walk that are gone back to."""


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch, db: None, strict_changes: None) -> Iterator[Walk]:
    """A walk that has been gone, without its calls."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    variables.cache_clear()
    walk = Walk(SEED)
    walk.begin()
    for _ in range(STEPS // 8):
        walk.edit()
    yield walk
    variables.cache_clear()


def test_bundles_and_restores__after_random_edits__lead_where_they_say(walked: Walk) -> None:
    last = Revision.current()
    chosen = random.Random(SEED).sample(range(1, last + 1), RESTORED)  # noqa: S311 - a test's choices
    gone_back = 0
    for revision in chosen:
        restoration = plan_restore(revision)
        assert (restoration.faults, restoration.kept) == ((), ())
        tried = rehearse(restoration.plan)
        if tried.faults:
            # What was switched off after it was named is not named anew, not even by going back.
            assert {fault.code for fault in tried.structural} == {SWITCHED_OFF}
            continue
        with by_ann() as made:
            apply_restoration(restoration, made)
        gone_back += 1
        text = write_bundle(contents_now())
        assert text == write_bundle(contents_at(revision))
        assert plan_bundle(read_bundle(text), prune=True).plan.changes == ()
    assert gone_back
