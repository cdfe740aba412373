"""Several processes that seal at once make one chain of seals; a fault at a durable step leaves none or a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.audit.tamper.seals import MANUAL, make_seal
from iwrouting.conf.points import FaultPoint, arm, read_plan
from iwrouting.models import Seal, Writer
from tests.audit_tables.owner import as_owner_clear_audit
from tests.tamper.chains import Chain
from tests.tamper.verified import found, verify


@pytest.fixture
def committing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The tests' database in no transaction, emptied afterwards."""
    with django_db_blocker.unblock():
        yield
        as_owner_clear_audit(connection)
        Writer.objects.all().delete()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the tests' SQLite database is one connection in memory")
def test_make_seal__at_once_from_many__are_numbered_and_linked(committing: None) -> None:
    chain = Chain()
    chain.calls(2)
    chain.tell()

    def seal(_: int) -> None:
        try:
            for _ in range(5):
                make_seal(MANUAL)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(seal, range(4)))
    seals = list(Seal.objects.order_by("number"))
    assert [each.number for each in seals] == list(range(1, 21))
    assert all(second.previous == first.hash for first, second in pairwise(seals))
    assert found(verify()) == []


@pytest.mark.parametrize("point", ["seal.before_insert", "seal.after_insert"])
def test_make_seal__fault_at_a_durable_step__leaves_none(chain: Chain, point: str) -> None:
    arm(read_plan(f"{point}=raise"))
    try:
        with pytest.raises(FaultPoint):
            make_seal(MANUAL)
    finally:
        arm({})
    assert Seal.objects.count() == 0
    make_seal(MANUAL)
    assert found(verify()) == []


def test_make_seal__transaction_of_the_caller_fails__leaves_none(chain: Chain) -> None:
    make_seal(MANUAL)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_seal(MANUAL).save(force_insert=True)
    assert make_seal(MANUAL).number == 2
