"""A round with the database: what is told is recorded, once, by one process at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from iwrouting.alerts import look, open_alerts, rounds
from iwrouting.alerts.notes import Notes
from iwrouting.alerts.rounds import DatabaseRound
from iwrouting.alerts.rules import KEEPING
from iwrouting.alerts.state import Row
from iwrouting.audit import new_id
from iwrouting.audit.locks import only_one
from iwrouting.conf import Settings
from iwrouting.models import Alert, Writer
from tests.alerts import cast
from tests.alerts.conftest import Configure
from tests.alerts.servers import MailServer, Receiver

pytestmark = pytest.mark.django_db


def round_of(conf: Settings) -> Notes:
    """Do one, in this thread, whose transaction the rows are in; what the host has noted after it."""
    notes = Notes(conf.journals)
    notes.read()
    DatabaseRound(notes, conf).work()
    notes.read()
    return notes


def rows() -> list[tuple[str, str, str, str, str]]:
    return list(Alert.objects.order_by("at", "id").values_list("rule", "subject", "state", "told", "fault"))


def test_alert__is_told_recorded_and_cleared(configure: Configure, receiver: Receiver, mail_server: MailServer) -> None:
    conf = configure(
        alert_webhook_url=receiver.url,
        alert_email=("ops@example.org",),
        email_url=f"smtp://127.0.0.1:{mail_server.port}",
    )
    writer = cast.writer(mode="journal")
    notes = round_of(conf)
    assert receiver.states == [("raised", "journal_in_use")]
    assert len(mail_server.mails) == 1
    assert rows() == [("journal_in_use", "web-1", "raised", "mail, webhook", "")]
    assert receiver.posts[0].json["id"] == str(Alert.objects.get().pk)
    assert (list(notes.standings), notes.waiting) == ([("journal_in_use", "web-1")], [])
    assert [each.rule for each in open_alerts(conf)] == ["journal_in_use"]
    round_of(conf)
    assert len(receiver.posts) == 1, "it stands, and was told"
    Writer.objects.filter(pk=writer.pk).update(mode="database")
    round_of(conf)
    assert receiver.states == [("raised", "journal_in_use"), ("cleared", "journal_in_use")]
    assert receiver.posts[1].json["message"].startswith("No longer: 1 writer of web-1")
    assert rows()[1] == ("journal_in_use", "web-1", "cleared", "mail, webhook", "")
    assert open_alerts(conf) == []


def test_alert__without_channels__is_recorded_all_the_same(
    configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    cast.writer(mode="journal")
    round_of(configure())
    assert rows() == [("journal_in_use", "web-1", "raised", "", "")]
    assert "alert [iwrouting] raised: journal_in_use (web-1)" in caplog.text


def test_alert__that_a_channel_did_not_take__is_recorded_with_the_reason_and_tried_again(
    configure: Configure, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 500
    conf = configure(alert_webhook_url=receiver.url)
    cast.writer(mode="journal")
    cast.writer(host="web-2", mode="journal")
    round_of(conf)
    assert len(receiver.posts) == 1, "a channel that fails is not tried again in the same round"
    fault = "webhook: answered 500"
    assert sorted(rows()) == [("journal_in_use", host, "raised", "", fault) for host in ("web-1", "web-2")]
    assert {each.pending for each in open_alerts(conf)} == {("webhook",)}
    receiver.status = 200
    round_of(conf)
    assert len(receiver.posts) == 1, "not before its pause"
    monkeypatch.setattr("iwrouting.alerts.state.RETRY_S", 0.0)
    round_of(conf)
    assert [each[3:] for each in rows()] == [("", fault), ("", fault), ("webhook", ""), ("webhook", "")]
    assert {each.pending for each in open_alerts(conf)} == {()}


def test_round__while_another_process_is_at_it__does_nothing(configure: Configure) -> None:
    cast.writer(mode="journal")
    with only_one("alerts") as ours:
        assert ours
        assert DatabaseRound(Notes(configure().journals), configure()).work() is False
    assert rows() == []


def test_what_was_told_without_the_database__is_recorded_once_when_it_is_back(
    configure: Configure, receiver: Receiver
) -> None:
    conf = configure(alert_webhook_url=receiver.url)
    at = datetime.now(UTC) - timedelta(minutes=5)
    told = Row(new_id(), at, "database_away", "web-9", "raised", "no answer", "webhook")
    here = replace(told, id=new_id(), rule="journal_in_use", subject="web-1", message="rows wait")
    cast.writer(mode="journal")
    Notes(conf.journals).save({}, [told, here])
    notes = round_of(conf)
    assert notes.waiting == []
    assert sorted(rows()) == [
        ("database_away", "web-9", "raised", "webhook", ""),
        ("journal_in_use", "web-1", "raised", "webhook", ""),
    ]
    assert receiver.posts == [], "both stand already: the other host clears its own"
    Notes(conf.journals).save(notes.standings, [told, here])
    round_of(conf)
    assert Alert.objects.count() == 2


def test_alerts_of_rules_that_are_off__do_not_stand(configure: Configure) -> None:
    cast.writer(mode="journal")
    round_of(configure())
    assert open_alerts(configure(alert_off=("journal_in_use",))) == []


@pytest.mark.skipif(connection.vendor == "postgresql", reason="its lock is the database's")
def test_folder_that_takes_no_lock__does_not_keep_it_from_being_told(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = configure(journal_dir=tmp_path / "file" / "journal", alert_off=("disk_low",))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("iwrouting.audit.locks.settings", lambda: conf)
    cast.writer(mode="journal")
    assert DatabaseRound(Notes(conf.journals), conf).work() is True
    assert rows() == [("journal_in_use", "web-1", "raised", "", "")]


def test_rule__that_fails_whatever_the_reason__does_not_keep_the_others_from_being_told(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KEEPING, "rows_lost", lambda _now, _conf: 1 / 0)
    cast.writer(mode="journal")
    round_of(configure())
    assert [each[0] for each in rows()] == ["journal_in_use"]


@pytest.mark.parametrize(("age_s", "asked"), [(599.0, 0), (601.0, 1)])
def test_connection_that_never_answers__is_left_to_itself_after_ten_minutes(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, age_s: float, asked: int
) -> None:
    conf, released = configure(alert_off=("database_away",)), threading.Event()
    stuck = DatabaseRound(Notes(conf.journals), conf)
    stuck.made_at -= age_s
    monkeypatch.setattr(stuck, "run", released.wait)
    stuck.start()
    begun: list[DatabaseRound] = []

    def work(self: DatabaseRound) -> bool:
        begun.append(self)
        return True

    monkeypatch.setattr(rounds, "_hung", stuck)
    monkeypatch.setattr(DatabaseRound, "work", work)
    try:
        look(conf, again_s=0)
    finally:
        released.set()
        stuck.join()
    assert len(begun) == asked
