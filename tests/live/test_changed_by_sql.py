"""The running service and a change by SQL in another process: it is noticed, in force nowhere, and ended by adoption.

Our own changes are never taken for one, two at once and one that dies in the middle included.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from iwrouting.models import Alias, ChangedBySql, Revision, change
from iwrouting.types import Via
from tests.live.databases import ALIAS, statement
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.processes import ROOT, manage

BY_SQL = "UPDATE iwrouting_alias SET default_model = 'gpt-4.1' WHERE name = 'worker_doc'"
DIES = """
import os, signal, django
django.setup()
from iwrouting.models import Alias, change
from iwrouting.types import Via
with change(author="ann", via=Via.CLI, reason="It dies in the middle"):
    Alias.objects.get(name="worker_doc").save()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def by_sql(live: Live) -> Iterator[int]:
    """A change by SQL, put back afterwards; the revision before it."""
    live.home  # noqa: B018 - a tenant can't be made later
    revision = live.settle()
    statement(BY_SQL)
    yield revision
    if Revision.standing(ALIAS).is_touched:
        adopt(live, "--discard")
    row = Alias.objects.using(ALIAS).get(name="worker_doc")
    row.default_model = "gpt-4.1-mini"
    row.save(using=ALIAS)
    live.settle()


def adopt(live: Live, *options: str) -> None:
    manage(live.world.env, "config_adopt", "--reason", "Mended by hand", "--yes", *options)


def fault(live: Live) -> str:
    state = live.service.get("/readyz")[1]
    return str(state["snapshot"]["fault"]) if state["status"] == "degraded" else ""


def test_change_by_sql__is_isolated_and_told_until_it_is_adopted(live: Live, by_sql: int) -> None:
    told = eventually(lambda: fault(live), "the alarm", 2.0)
    assert f"changed by SQL after revision {by_sql}, and that is in force nowhere" in told
    headers = live.chat("worker_doc").headers
    assert (headers["x-iw-model"], headers["x-iw-revision"]) == ("gpt-4.1-mini", str(by_sql))
    assert "configuration_not_refreshed" in headers["x-iw-warning"]
    with pytest.raises(ChangedBySql), change(author="ann", via=Via.CLI, reason="Not before that", using=ALIAS):
        pytest.fail("it began")
    adopt(live, "--acknowledge", "all")
    eventually(lambda: live.service.get("/readyz")[1]["status"] == "ready", "the end of the alarm", 2.0)
    headers = live.chat("worker_doc").headers
    assert (headers["x-iw-model"], headers["x-iw-revision"]) == ("gpt-4.1", str(by_sql + 1))


def edit(number: int) -> None:
    """A change in a thread, with a connection of its own."""
    try:
        row = Alias.objects.using(ALIAS).get(name="worker_doc")
        row.purpose = f"edited {number}"
        row.save(using=ALIAS)
    finally:
        connections[ALIAS].close()


def test_two_changes_at_once__wait_for_each_other_and_are_no_sql(live: Live) -> None:
    before = live.settle()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(edit, range(6)))
    assert live.settle() == before + 6
    assert not Revision.standing(ALIAS).is_touched
    assert live.service.get("/readyz")[1]["status"] == "ready"


def test_a_change_that_dies_in_the_middle__never_was(live: Live) -> None:
    before = live.settle()
    env = {**live.world.env, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", DIES], cwd=ROOT, env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-9, b"")
    edit(7)
    assert Revision.standing(ALIAS).number == before + 1
    assert not Revision.standing(ALIAS).is_touched
    assert live.settle() == before + 1
