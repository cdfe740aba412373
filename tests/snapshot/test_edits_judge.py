"""The judge of the edits (tests/live/test_edits.py) finds a mix of two revisions, and a worker that is late."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from typing import Any

from iwrouting.models import Alias
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.snapshot import load
from tests.live.edits.editor import LEFT, RIGHT, judge
from tests.live.edits.watching import CORE, Watcher, all_lags


def answer() -> list[Any]:
    """What a worker that has read the configuration of now says."""
    config = load()
    found = resolve(config, LEFT, project="atlas", now=datetime.now(UTC), endpoint=endpoint_for(config, LEFT))
    steps, rungs = [step.as_dict() for step in found.ladder], [rung.as_dict() for rung in found.chain]
    core = {"model": found.model, "source": found.source, "ladder": steps, "chain": rungs}
    assert tuple(core) == CORE
    return [config.revision, "atlas", LEFT, json.loads(json.dumps(core))]


def test_an_answer_of_its_revision__is_right_and_one_of_two_is_wrong() -> None:
    left = Alias(name=LEFT, kind="role", default_model="left-1", chain=[RIGHT])
    right = Alias(name=RIGHT, kind="role", default_model="right-1")
    for row in (left, right):
        row.save()
    first = answer()
    right.default_model = "right-2"
    right.save()
    second = answer()
    assert judge([second, first])["wrong"] == []
    mixed = [second[0], *first[1:]]
    [wrong] = judge([first, mixed])["wrong"]
    assert wrong[:2] == [second[0], LEFT]


def test_a_worker_that_serves_an_older_revision_after_a_commit__is_late_by_so_much() -> None:
    watcher = Watcher(http.client.HTTPConnection("127.0.0.1"), "", 1)
    watcher.seen = [(9.0, 9.1, 41), (10.5, 10.6, 41), (11.0, 11.1, 41), (12.0, 12.1, 43)]
    changes = [[41, 8.0, "CLI"], [42, 10.0, "CLI"], [43, 11.5, "admin"]]
    assert list(all_lags(watcher, changes, 9.0)) == [1.0, 0.0]
