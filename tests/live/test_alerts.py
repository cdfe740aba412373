"""A running worker looks by itself, tells, and records what it told; a journal in use is told while it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from iwrouting.models import Alert
from tests.alerts.servers import receiver
from tests.live.databases import ALIAS
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.test_audit_away import CHAT, ask, locked
from tests.sandbox.raw import hello

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import time, django
django.setup()
from iwrouting.alerts import look
while True:
    look(again_s=0)
    time.sleep(0.1)
"""
RAISED, CLEARED = ("raised", "journal_in_use"), ("cleared", "journal_in_use")


@contextmanager
def looking(env: Mapping[str, str]) -> Iterator[None]:
    """Within it a process does round after round: a service's own come too seldom."""
    given = {**env, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with subprocess.Popen([sys.executable, "-c", LOOK], cwd=ROOT, env=given) as looker:
        try:
            yield
            assert looker.poll() is None, "it looks no more"
        finally:
            looker.kill()


def test_worker__tells_and_records_within_seconds_of_its_start(live: Live, tmp_path: Path) -> None:
    with receiver() as hook:
        # Tests before this one may have left journals in use; what is told here is not told again in the next test.
        live.world.other_service(
            "alarmed",
            IW_ALERT_WEBHOOK_URL=hook.url,
            IW_ALERT_DISK_MB="99000000",
            IW_ALERT_OFF="journal_in_use",
            IW_JOURNAL_DIR=str(tmp_path),
        )
        eventually(lambda: ("raised", "disk_low") in hook.states, patience_s=30)
        told = Alert.objects.using(ALIAS).filter(rule="disk_low", state="raised", told="webhook")
        eventually(told.exists, patience_s=30)


def test_journal_in_use__is_told_recorded_and_cleared(live: Live, tmp_path: Path) -> None:
    with receiver() as hook:
        service = live.world.other_service(
            "telling",
            IW_ALERT_WEBHOOK_URL=hook.url,
            IW_JOURNAL_DIR=str(tmp_path),
            IW_ALERT_OFF="disk_low,dead_model",
            IW_WRITER_DEAD_S="5",
        )
        live.introduce(live.home.key, service.url)
        with looking(service.env):
            with locked():
                assert ask(live, service, CHAT, hello("fast")).status == 200
                eventually(lambda: RAISED in hook.states, patience_s=30)
                assert CLEARED not in hook.states
            eventually(lambda: CLEARED in hook.states, patience_s=30)
            recorded = Alert.objects.using(ALIAS).filter(rule="journal_in_use", told="webhook")
            eventually(lambda: set(recorded.values_list("state", flat=True)) == {"raised", "cleared"}, "their record")
