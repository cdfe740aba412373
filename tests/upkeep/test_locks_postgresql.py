"""The writer locks the audit's tables in upkeep's order: neither ever holds what the other waits for."""

from __future__ import annotations

import threading

import pytest

from iwrouting.audit.keeping.tables import TABLES
from iwrouting.audit.writing import statements
from tests.live.ledger import eventually
from tests.tamper.chains import Chain, call_rows
from tests.upkeep import story
from tests.upkeep.databases import link

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event_type = 'Lock'"
GRANTED = "SELECT relation::regclass::text FROM pg_locks WHERE pid = %s AND granted AND relation = ANY(%s::regclass[])"


@pytest.mark.parametrize("prepared", [False, True])
def test_batch__outcome_comes_first__waits_for_decisions_and_holds_nothing(own: str, prepared: bool) -> None:
    chain = Chain()

    def batch() -> tuple[str, list[object]]:
        rows = [(table, chain.place(table, row)) for table, row in reversed(call_rows())]
        return statements.insertion(rows, strict=True)

    with link(own, application_name="writer") as writer, link(own, autocommit=False) as upkeep:
        for _ in range(7 if prepared else 0):
            writer.execute(*batch(), prepare=True)
        upkeep.execute(b"LOCK TABLE ONLY iwrouting_decision IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: writer.execute(*batch(), prepare=prepared))
        thread.start()
        (pid,) = eventually(lambda: story.run(WAITING), "the wait for the lock")[0]
        with link(own) as other:
            assert other.execute(GRANTED.encode(), [pid, list(TABLES)]).fetchall() == []
        upkeep.rollback()
        thread.join()
    assert story.counts()["iwrouting_outcome"] == (8 if prepared else 1)
