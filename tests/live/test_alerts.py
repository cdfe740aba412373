"""A running worker looks by itself, tells, and records what it told."""

from __future__ import annotations

from pathlib import Path

from iwrouting.models import Alert
from tests.alerts.servers import receiver
from tests.live.databases import ALIAS
from tests.live.ledger import eventually
from tests.live.live import Live


def test_worker__tells_and_records_within_seconds_of_its_start(live: Live, tmp_path: Path) -> None:
    with receiver() as hook:
        live.world.other_service(
            "alarmed", IW_ALERT_WEBHOOK_URL=hook.url, IW_ALERT_DISK_MB="99000000", IW_JOURNAL_DIR=str(tmp_path)
        )
        eventually(lambda: ("raised", "disk_low") in hook.states)
        told = Alert.objects.using(ALIAS).filter(rule="disk_low", state="raised", told="webhook")
        eventually(told.exists)
