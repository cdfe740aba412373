"""What retention takes away leaves the chains of hashes whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

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
        # Swept after its last beat: else maintain would first watch the database for 45 s, with a writer of its own.
        chain.tell(ended_at=chain.now(), swept_at=datetime.now(UTC) + timedelta(seconds=5))
    return made


def test_maintain__old_months_leave__the_chains_verify(chains: list[Chain]) -> None:
    assert found(verify()) == []
    call_command("maintain", yes=True, format="json")
    assert Seal.objects.filter(kind="removal").exists()
    tally = verify()
    assert (found(tally), tally.pending, tally.writers, tally.rows) == ([], [], 2, 32)
    chains[0].call()
    assert found(verify()) == []
