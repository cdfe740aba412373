"""Seals: consecutive, linked, one at a time, with every writer's head and with what retention took away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
import pytest

from iwrouting.audit import ATTEMPT, DECISION, OUTCOME
from iwrouting.audit.tamper.chain import make_key
from iwrouting.audit.tamper.placed import QUARANTINE
from iwrouting.audit.tamper.seals import HOURLY, REMOVAL, Leaving, make_seal, removal_seal, seal_hash, seal_when_due
from iwrouting.models import Attempt, Decision, Outcome, Seal
from iwrouting.server.jobs import jobs
from tests.tamper.chains import Chain, call_rows, our_key

LONG_AGO = datetime.now(UTC) - timedelta(days=2)
MARCH = datetime(2026, 3, 31, 23, 59, 59, 120000, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def heads(seal: Seal) -> dict[str, tuple[int, str]]:
    return {writer: (number, chain_hash) for writer, number, chain_hash in orjson.loads(seal.heads)}


@pytest.mark.django_db
def test_make_seal__several__are_numbered_and_linked() -> None:
    chain = Chain()
    chain.tell()
    made = []
    for _ in range(3):
        chain.call()
        made.append(make_seal(HOURLY))
    stored = list(Seal.objects.order_by("number"))
    assert [seal.number for seal in stored] == [1, 2, 3]
    assert stored[0].previous == ""
    assert all(second.previous == first.hash for first, second in pairwise(stored))
    assert [seal_hash(our_key(), seal) for seal in stored] == [seal.hash for seal in made]
    assert seal_hash(make_key("another key"), stored[0]) != stored[0].hash


@pytest.mark.django_db
def test_make_seal__writers__lists_the_live_and_those_that_wrote_since() -> None:
    live, quiet, old, empty = Chain(), Chain(), Chain(), Chain()
    for chain in (live, quiet, old):
        chain.call()
    live.tell()
    quiet.tell(heartbeat_at=LONG_AGO)
    old.tell(heartbeat_at=LONG_AGO, ended_at=LONG_AGO)
    empty.tell()
    assert heads(make_seal(HOURLY)) == {each.id: (each.seq, each.hash) for each in (live, quiet, old)}
    live.call()
    assert heads(make_seal(HOURLY)) == {each.id: (each.seq, each.hash) for each in (live, quiet)}
    quiet.tell(heartbeat_at=LONG_AGO, swept_at=LONG_AGO)
    assert set(heads(make_seal(HOURLY))) == {live.id}


@pytest.mark.django_db
def test_make_seal__last_row_in_quarantine__is_the_head() -> None:
    chain = Chain()
    chain.tell()
    chain.call()
    chain.quarantine(*call_rows()[0])
    assert heads(make_seal(HOURLY)) == {chain.id: (chain.seq, chain.hash)}


@pytest.mark.django_db
def test_removal_seal__a_month__holds_the_runs_and_what_went_of_each_table() -> None:
    one, other = Chain(at=MARCH), Chain(at=MARCH)
    one.calls(2)
    one.at = APRIL
    one.call()
    one.at = MARCH
    one.call()
    end = one.hash
    other.call()
    going = f"(SELECT * FROM {{}} WHERE decision_at < '{APRIL:%Y-%m-%d}')"  # noqa: S608
    seal = removal_seal([Leaving(table, going.format(table)) for table in (DECISION, ATTEMPT, OUTCOME)])
    removed = orjson.loads(seal.removed)
    at = {"first_at": "2026-03-31T23:59:59.120000Z", "last_at": "2026-03-31T23:59:59.120000Z"}
    assert removed[:3] == [
        {"table": DECISION, "rows": 4, **at},
        {"table": ATTEMPT, "rows": 8, **at},
        {"table": OUTCOME, "rows": 4, **at},
    ]
    middle = Outcome.objects.get(writer_id=one.id, writer_seq=8).chain_hash
    assert removed[3:] == [
        {"writer": one.id, "runs": [[1, 8, middle], [13, 16, end]]},
        {"writer": other.id, "runs": [[1, 4, other.hash]]},
    ]
    assert (seal.kind, seal.heads, seal.hash) == (REMOVAL, "[]", seal_hash(our_key(), seal))


@pytest.mark.django_db
def test_removal_seal__parameters_and_quarantine__are_taken() -> None:
    chain = Chain()
    chain.call()
    chain.quarantine(*call_rows()[0])
    first = Decision.objects.get()
    seal = removal_seal(
        [
            Leaving(DECISION, f"(SELECT * FROM {DECISION} WHERE project = %s)", [first.project]),  # noqa: S608
            Leaving(QUARANTINE, QUARANTINE),
        ]
    )
    runs = [[1, 1, first.chain_hash], [5, 5, chain.hash]]
    assert orjson.loads(seal.removed)[2:] == [{"writer": chain.id, "runs": runs}]


@pytest.mark.django_db
def test_removal_seal__rows_from_before_the_chain__are_counted_and_are_no_run() -> None:
    chain = Chain()
    chain.call()
    old = Attempt.objects.first()
    assert old is not None
    Attempt.objects.create(
        **{field.attname: getattr(old, field.attname) for field in Attempt._meta.concrete_fields}
        | {"id": old.decision_id, "seq": 3, "chain_hash": "", "writer_id": "0" * 36}
    )
    removed = orjson.loads(removal_seal([Leaving(ATTEMPT, ATTEMPT)]).removed)
    assert removed[0]["rows"] == 3
    assert [each["writer"] for each in removed[1:]] == [chain.id]


@pytest.mark.django_db
def test_removal_seal__nothing_goes__says_so() -> None:
    removed = orjson.loads(removal_seal([Leaving(ATTEMPT, ATTEMPT)]).removed)
    assert removed == [{"table": ATTEMPT, "rows": 0, "first_at": None, "last_at": None}]


def test_jobs__of_each_worker__make_the_hourly_seal_one_at_a_time() -> None:
    [job] = [job for job in jobs() if job.work is seal_when_due]
    assert (job.name, job.alone) == ("seal", True)
    assert job.every_s < 3600
