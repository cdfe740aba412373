"""`manage.py alerts`: what stands, and whether people can be told; exit codes as everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from iwrouting.audit import new_id
from iwrouting.conf import Settings
from iwrouting.management.commands import alerts
from iwrouting.models import Alert
from tests.alerts.conftest import Configure
from tests.alerts.servers import Receiver

Use = Callable[[Settings], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes the command read these settings."""
    return lambda conf: monkeypatch.setattr(alerts, "settings", lambda: conf)


def run(action: str) -> int:
    """The exit code."""
    try:
        call_command("alerts", action, "--format", "json")
    except CommandError as error:
        return error.returncode
    return 0


@pytest.mark.django_db
def test_list__of_nothing__is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"version": 1, "alerts": []}
    assert "No alert stands." in told.err


@pytest.mark.django_db
def test_list__of_what_stands__is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"rule": "disk_low", "subject": "web-1", "message": "12 MB are free", "fault": "mail: gone"}
    Alert.objects.create(id=new_id(), at=timezone.now(), state="raised", **told)
    assert run("list") == 3
    (row,) = json.loads(capsys.readouterr().out)["alerts"]
    assert (row["rule"], row["subject"], row["message"]) == ("disk_low", "web-1", "12 MB are free")
    assert row["not_told_by"] == ["mail"]


def test_list__without_a_database__is_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("no such luck")

    monkeypatch.setattr(alerts, "open_alerts", away)
    assert run("list") == 4


def test_test__with_nothing_configured__fails_and_says_what_to_set(configure: Configure, use: Use) -> None:
    use(configure())
    with pytest.raises(CommandError, match="set IW_ALERT_EMAIL or IW_ALERT_WEBHOOK_URL") as caught:
        call_command("alerts", "test")
    assert caught.value.returncode == 1


def test_test__sends_to_every_channel(
    configure: Configure, use: Use, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    use(configure(alert_webhook_url=receiver.url))
    assert run("test") == 0
    assert receiver.states == [("test", "test")]
    assert json.loads(capsys.readouterr().out)["tested"] == [{"channel": "webhook", "taken": True, "fault": ""}]


def test_test__that_is_not_taken__fails_with_the_reason(configure: Configure, use: Use, receiver: Receiver) -> None:
    receiver.status = 403
    use(configure(alert_webhook_url=receiver.url))
    with pytest.raises(CommandError, match="webhook: answered 403") as caught:
        call_command("alerts", "test", "--format", "table")
    assert caught.value.returncode == 1
