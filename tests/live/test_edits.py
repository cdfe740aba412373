"""Edits from admin, API, commands and other processes at once, and every worker asked all the while.

All workers serve the last revision within five seconds, each answer is the one of its revision and of no mix of two,
and what was deleted is never served again (faults.md T13). A short run in `make test`, a thousand edits and more in
`make faults ONLY=edits`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from iwrouting.models import Alias, Override
from tests.faults.run import EDITS, SEED
from tests.live.databases import ALIAS, IS_POSTGRESQL
from tests.live.edits.doors import BY_API, edit_by_admin, edit_by_api, make_boss
from tests.live.edits.editor import LEFT, RIGHT
from tests.live.edits.watching import Watcher, all_lags, watchers, watching
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.processes import ROOT, ServiceProcess
from tests.live.world import Tenant

WORKERS = 4 if IS_POSTGRESQL else 2
"""SQLite allows two."""

WITHIN_S = 5.0
COUNT = int(os.environ.get(EDITS, "24"))


@pytest.fixture
def service(live: Live) -> ServiceProcess:
    return live.world.other_service("edits", workers=WORKERS)


@pytest.fixture
def rows(live: Live) -> Iterator[tuple[Alias, Override]]:
    """The two aliases that change together, and others; gives the one for the admin, and the override for the API."""
    made = [
        Alias(name=LEFT, kind="role", default_model=f"{LEFT}-0", chain=[RIGHT]),
        Alias(name=RIGHT, kind="role", default_model=f"{RIGHT}-0"),
        Alias(name="edit_admin", kind="role", default_model="gpt-6-luna", purpose="To be edited"),
        Alias(name=BY_API, kind="role", default_model="gpt-6-luna", purpose="To be edited"),
    ]
    for row in made:
        row.save(using=ALIAS)
    override = Override(alias=made[0], model="gpt-6-luna", reason="To be edited")
    override.save(using=ALIAS)
    make_boss()
    yield made[2], override
    for row in Alias.objects.using(ALIAS).filter(name__startswith="edit_"):
        row.delete(using=ALIAS)


@pytest.fixture
def tenant(live: Live) -> Tenant:
    scopes = ["resolve", "call", "read_audit", "manage"]
    return live.tenant(scopes=scopes, projects=["*"])


def editor(live: Live, *arguments: str, given: Any = None) -> Any:
    """What the process says."""
    command = [sys.executable, "-m", "tests.live.edits.editor", *arguments]
    env = {**live.world.env, "DJANGO_SETTINGS_MODULE": "config.settings"}
    text = None if given is None else json.dumps(given)
    done = subprocess.run(command, cwd=ROOT, env=env, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(1800)
def test_edits_of_all_ways_at_once__reach_every_worker_whole_and_in_time(
    live: Live, service: ServiceProcess, rows: tuple[Alias, Override], tenant: Tenant
) -> None:
    few, seed = max(3, COUNT // 8), os.environ.get(SEED, "1")
    live.introduce(tenant.key, f"{service.url}/v1")
    with watchers(service.url, tenant.key, WORKERS) as found:
        with watching(found), ThreadPoolExecutor(3) as pool:
            begun = time.time()
            ways = [
                pool.submit(editor, live, "edit", str(COUNT - 2 * few), tenant.slug, seed),
                pool.submit(edit_by_admin, service.url, rows[0], few),
                pool.submit(edit_by_api, service.url, tenant.key, rows[1], few),
            ]
            deleted = ways[0].result()["deleted"]
            for way in ways[1:]:
                way.result()
            edited_s = time.time() - begun
            last = live.settle()
            eventually(lambda: all(each.seen[-1][2] >= last for each in found), "the last revision", WITHIN_S)
        assert [each.failed for each in found] == [[] for _ in found]
        for each in found:
            for name in deleted:
                status, body = each.ask(f"/api/v1/resolve?alias={name}")
                assert (status, body["error"]["code"]) == (404, "model_not_found")
    judged = editor(live, "judge", given=answers(found, tenant))
    assert judged["wrong"] == []
    lags = sorted(lag for each in found for lag in all_lags(each, judged["changes"], begun))
    ours = [change for change in judged["changes"] if change[1] >= begun]
    told(found, ours, lags, edited_s)
    assert len(ours) >= COUNT * 0.9
    assert {via for _, _, via in ours} >= {"admin", "API", "CLI"}
    assert lags[-1] < WITHIN_S


def answers(found: list[Watcher], tenant: Tenant) -> list[list[Any]]:
    """All different ones, as the judge takes them."""
    every = set().union(*(each.answers for each in found))
    return [[revision, tenant.slug, LEFT, json.loads(core)] for revision, core in every]


def told(found: list[Watcher], ours: list[list[Any]], lags: list[float], edited_s: float) -> None:
    """What was measured."""
    count, asked = len(ours), sum(len(each.seen) for each in found)
    by_way = {via: sum(each[2] == via for each in ours) for via in ("admin", "API", "CLI")}
    half, most = lags[len(lags) // 2], lags[int(len(lags) * 0.99)]
    print(
        f"\nedits: {count} in {edited_s:.1f} s {by_way}, {len(found)} workers, {asked} answers; served by an older "
        f"revision after its commit for {half * 1000:.0f} ms (median), {most * 1000:.0f} ms (99 of 100), "
        f"{lags[-1] * 1000:.0f} ms at most",
        flush=True,
    )
