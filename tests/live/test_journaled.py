"""A running service while its database takes nothing: calls go on, and nothing of them is missing afterwards (G3)."""

from __future__ import annotations

import json
import threading
from typing import Any

import openai
import pytest

from iwrouting.models import Writer
from tests.live.databases import ALIAS, statement
from tests.live.ledger import eventually, record
from tests.live.live import Live, events
from tests.live.processes import ServiceProcess
from tests.live.test_audit_away import BODIES, CHAT, ask, locked
from tests.live.test_run_budget import limited
from tests.sandbox.raw import hello


@pytest.fixture
def journaling(live: Live) -> ServiceProcess:
    """A service that turns to its journal after 0.2 s."""
    service = live.world.other_service("journaling", IW_AUDIT_COMMIT_S="0.2")
    live.introduce(live.home.key, service.url)
    return service


def audit(service: ServiceProcess) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/readyz")[1]["audit"]
    return found


def is_back(service: ServiceProcess) -> bool:
    return bool(audit(service)["mode"] == "database")


def test_database_that_takes_nothing__costs_no_call_its_answer_or_its_record(
    live: Live, journaling: ServiceProcess
) -> None:
    client = live.client(limited(live, 5_000), url=journaling.url)
    answered = []
    with locked():
        for path, body in (*BODIES.items(), (CHAT, hello("fast", stream=True)), (CHAT, hello("fast"))):
            got = ask(live, journaling, path, body)
            assert got.status == 200, (path, got.body)
            answered.append(got.headers["x-iw-decision-id"])
        assert events(ask(live, journaling, CHAT, hello("fast", stream=True)).body)[-1] == "[DONE]"
        # The one exception: a budget is booked in the database alone.
        with pytest.raises(openai.InternalServerError, match="budget"):
            live.chat("fast", client=client, max_tokens=50)
        status, state = journaling.get("/readyz")
        assert (status, state["status"], state["audit"]["mode"]) == (200, "degraded", "journal")
        assert state["audit"]["journaled_rows"] >= 11
        assert journaling.status("/healthz") == 200
    eventually(lambda: is_back(journaling), "the replay", 5)
    for decision in answered:
        found = record(decision)
        assert (len(found.outcomes), found.outcome.result) in ((1, "ok"), (1, "resolved"))
    writer = record(answered[0]).decision.writer_id
    tables = ("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome")
    parts = " UNION ALL ".join(f"SELECT writer_seq FROM {table} WHERE writer_id = %s" for table in tables)  # noqa: S608
    numbers = statement(f"{parts} ORDER BY 1", writer, writer, writer)
    assert [row["writer_seq"] for row in numbers] == list(range(1, len(numbers) + 1))
    eventually(lambda: Writer.objects.using(ALIAS).get(id=writer).journaled_rows >= 11, "the heartbeat", 12)


def test_callers_that_come_at_once_while_the_database_goes__are_all_answered(
    live: Live, journaling: ServiceProcess
) -> None:
    got: list[int] = []

    def call() -> None:
        got.append(ask(live, journaling, CHAT, hello("fast")).status)

    threads = [threading.Thread(target=call) for _ in range(30)]
    for number, thread in enumerate(threads):
        if number == 10:
            break
        thread.start()
    with locked():
        for thread in threads[10:]:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [200] * 30
    eventually(lambda: is_back(journaling), "the replay", 5)
    assert [len(each.outcomes) for each in live.records()] == [1] * 30


POISON = "a\0b\ud800c" + "x" * 2_000


def test_poison_from_callers_and_providers__is_stored_clean_and_costs_no_neighbour(live: Live) -> None:
    error = {"message": POISON, "type": POISON, "code": POISON, "param": POISON}
    told = {"prompt_tokens": 10**40, "completion_tokens": -(10**40), "total_tokens": POISON, POISON: {POISON: 2**70}}
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": POISON}
    answer = {
        "id": POISON,
        "object": "chat.completion",
        "created": 1,
        "model": POISON,
        "choices": [choice],
        "usage": told,
    }
    plans: list[Any] = [
        {"match": {"model": "gpt-5.1"}, "fault": {"status": 500, "body": {"error": error}}},
        {"match": {"model": "gpt-4.1"}, "fault": {"raw_body": json.dumps({**answer, "usage": told})}},
    ]
    live.sandbox.plan(plans)
    # Half a character is no JSON to us: a caller's is refused before there is anything to record.
    given = POISON.replace("\ud800", "é")
    for body in (hello(given), hello("manager", user=given, metadata={given: given}), hello("manager")):
        live.post(CHAT, body)
    live.sandbox.plan([])
    good = live.chat("fast")
    found = live.records()
    assert len(found) == 4
    assert all(len(each.outcomes) == 1 for each in found)
    assert good.record.outcome.result == "ok"
    assert statement("SELECT 1 FROM iwrouting_quarantinedrow WHERE reason <> 'duplicate'") == []
