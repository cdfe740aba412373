"""A process that is killed at any step of telling people: what was told is recorded once, and never not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from iwrouting.alerts.notes import Notes
from iwrouting.alerts.rounds import DatabaseRound
from iwrouting.conf import Settings, settings
from iwrouting.models import Alert
from tests.alerts import cast
from tests.alerts.servers import receiver
from tests.upkeep.databases import killed_at


def round_of(conf: Settings) -> Notes:
    """One, by a process that knows no more than what is noted."""
    notes = Notes(conf.journals)
    notes.read()
    assert DatabaseRound(notes, conf).work()
    notes.read()
    return notes


@pytest.mark.parametrize(
    ("point", "told"), [("alerts.after_tell", 2), ("alerts.before_record", 1), ("alerts.after_record", 1)]
)
@pytest.mark.usefixtures("own")
def test_kill__while_people_are_told__is_made_good_by_the_next_round(tmp_path: Path, point: str, told: int) -> None:
    with receiver() as hook:
        given = {"journal_dir": tmp_path / "journal", "alert_webhook_url": hook.url, "alert_disk_mb": 0}
        conf = settings().model_copy(update=given)
        cast.writer(mode="journal")
        killed_at(point, lambda: round_of(conf))
        for _ in range(2):
            assert round_of(conf).waiting == []
        assert hook.states == [("raised", "journal_in_use")] * told
    assert list(Alert.objects.values_list("rule", "state", "told")) == [("journal_in_use", "raised", "webhook")]
