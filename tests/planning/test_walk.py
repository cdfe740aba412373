"""Whatever was edited, restarted and called: each decision, resolved again as its row records, says the same (G8)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from iwrouting.conf.environment import variables
from iwrouting.planning.again import again_then
from tests.planning.walk import Walk

STEPS = int(os.environ.get("WALK_STEPS", "200"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    """A walk whose variables nobody else sees."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    variables.cache_clear()
    yield Walk(SEED)
    variables.cache_clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict_changes")
@pytest.mark.timeout(3600)
def test_every_decision__resolved_again_as_of_then__gives_its_answer(walk: Walk) -> None:
    walk.begin()
    for _ in range(STEPS):
        walk.step()
    print(f"walk from seed {SEED}: {dict(walk.counts)}")
    wrong = []
    for decision in walk.stored:
        found = again_then(decision)
        if bool(decision.source) != found.is_same:
            wrong.append((decision.model_asked, decision.revision, found.refusal, found.differences))
    assert wrong == []
    assert all(walk.counts[kind] for kind in ("edit", "restart", "call", "call refused"))
