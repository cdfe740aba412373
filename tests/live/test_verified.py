"""`audit_verify` beside a service that writes: nothing that is on its way looks like a finding."""

from __future__ import annotations

import threading

from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.tamper.verified import verify_service

CALLS = 40


def test_verify__while_rows_are_written__finds_nothing(live: Live) -> None:
    tenant = live.tenant()

    def call() -> None:
        client = live.client(tenant)
        for _ in range(CALLS):
            live.chat("manager", client=client)

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    tallies = []
    while any(caller.is_alive() for caller in callers):
        tallies.append(verify_service(live.world.env, ALIAS))
    for caller in callers:
        caller.join()
    assert len(tallies) > 1
    assert [found for tally in tallies for found in tally.findings] == []
    assert tallies[-1].rows > tallies[0].rows
