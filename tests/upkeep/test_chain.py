"""What retention takes away leaves the chains of hashes whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command

from iwrouting.audit.keeping import pruning
from iwrouting.audit.keeping.tables import TABLES
from iwrouting.audit.tamper.seals import HOURLY, make_seal
from iwrouting.models import Seal
from tests.tamper.chains import Chain
from tests.tamper.verified import found, verify
from tests.upkeep import story
from tests.upkeep.databases import IS_POSTGRESQL

OLD = story.month(-20)
pytestmark = pytest.mark.usefixtures("own")


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, 2, tzinfo=UTC)


@pytest.fixture
def chains(own: str, monkeypatch: pytest.MonkeyPatch) -> list[Chain]:
    """Two writers whose calls of an old month and of this one are mixed, and the seals of their heads."""
    monkeypatch.setattr(pruning, "CHUNK", 2)
    for table in TABLES if IS_POSTGRESQL else ():
        story.run("SELECT iw_audit_make_partition(%s, %s)", table, OLD)
    made = [Chain(), Chain()]
    for at in (OLD, OLD, story.month(0), OLD, story.month(0)):
        for chain in made:
            chain.at = moment(at)
            chain.calls(2)
        make_seal(HOURLY)
    for chain in made:
        chain.tell(ended_at=chain.now())
    return made


def test_maintain__old_months_leave__the_chains_verify(chains: list[Chain]) -> None:
    assert found(verify()) == []
    call_command("maintain", yes=True, format="json")
    assert Seal.objects.filter(kind="removal").exists()
    tally = verify()
    # The third writer is maintain's own, with which it swept the two that ended.
    assert (found(tally), tally.pending, tally.writers, tally.rows) == ([], [], 3, 32)
    chains[0].call()
    assert found(verify()) == []
