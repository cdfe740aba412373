"""Writers, quarantined rows, seals and alerts in the admin: read by the groups that may, written by nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from iwrouting.models import Revision
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import read
from tests.alerts import cast as keeping

BASE = "/admin/iwrouting"
PAGES = ("writer", "quarantinedrow", "seal", "alert")


@pytest.fixture
def rows(db: None) -> dict[str, Any]:
    """One of each."""
    made = (keeping.writer(), keeping.quarantined(), keeping.seal(), keeping.alert())
    return dict(zip(PAGES, made, strict=True))


@pytest.mark.parametrize("group", ["Viewer", "Operator", "Editor", "Key admin", "Auditor"])
def test_pages__are_for_every_group_to_read(as_user: LoggedIn, rows: dict[str, Any], group: str) -> None:
    person = cast.person("somebody")
    person.groups.set(Group.objects.filter(name=group))
    client = as_user(person)
    for name, row in rows.items():
        assert read(client.get(f"{BASE}/{name}/")).faults == []
        assert "_save" not in read(client.get(f"{BASE}/{name}/{row.pk}/change/")).values("input", "name")


def test_pages__without_the_permission__say_which_is_missing(as_user: LoggedIn, rows: dict[str, Any]) -> None:
    client = as_user(cast.person("nobody", "view_alias"))
    for name, row in rows.items():
        for url in (f"{BASE}/{name}/", f"{BASE}/{name}/{row.pk}/change/"):
            answer = client.get(url)
            assert answer.status_code == 403
            assert f"needs the permission iwrouting.view_{name}" in answer.content.decode()


def test_pages__are_nobodys_to_write(boss: Client, rows: dict[str, Any]) -> None:
    for name, row in rows.items():
        assert boss.get(f"{BASE}/{name}/add/").status_code == 403
        assert boss.get(f"{BASE}/{name}/{row.pk}/delete/").status_code == 403
        assert boss.post(f"{BASE}/{name}/{row.pk}/change/", {"host": "x"}).status_code == 403


def test_writers__say_whether_they_run_where_their_rows_go_and_how_far_behind_they_are(boss: Client) -> None:
    Revision.objects.update_or_create(id=1, defaults={"number": 42})
    now = timezone.now()
    keeping.writer(pid=1, revision=42, last_commit_at=now)
    keeping.writer(pid=2, revision=40, mode="journal", queued=17, journal_bytes=2_500_000, quarantined_rows=3)
    keeping.writer(pid=3, heartbeat_at=now - timedelta(minutes=2))
    keeping.writer(pid=4, ended_at=now, revision=39)
    keeping.writer(pid=5, heartbeat_at=now - timedelta(minutes=2), swept_at=now, dropped_rows=1)
    text = read(boss.get(f"{BASE}/writer/")).text
    assert "web-1:2 running journal 17" in text
    assert "2.5 MB 3 0 40 2 behind" in text
    assert "3 behind" not in text, "what has ended serves nobody an old revision"
    for words in ("web-1:1 running database", "web-1:3 silent", "web-1:4 ended", "web-1:5 swept"):
        assert words in text
    for state, pid in (("silent", 3), ("ended", 4), ("swept", 5)):
        _, _, found = read(boss.get(f"{BASE}/writer/?state={state}")).text.partition("Clear filters")
        assert [n for n in range(1, 6) if f"web-1:{n} " in found] == [pid]


def test_quarantined_row__shows_its_text_as_text_and_its_decision(boss: Client) -> None:
    made = cast.decision()
    row = keeping.quarantined(decision_id=made.pk, row='{"model_asked": "<img src=x onerror=alert(1)>"}')
    page = read(boss.get(f"{BASE}/quarantinedrow/{row.pk}/change/"))
    assert '{"model_asked": "<img src=x onerror=alert(1)>"}' in page.text
    assert f"{BASE}/decision/{made.pk}/change/" in page.values("a", "href")
    assert not [named for tag, named in page.tags if tag == "img" and named.get("src") == "x"]


def test_seal__shows_heads_and_what_was_removed_as_stored(boss: Client) -> None:
    keeping.seal(number=8, kind="removal", removed='[{"table": "iwrouting_decision"}]', heads='[["w", 7]]')
    assert "8 " in read(boss.get(f"{BASE}/seal/")).text
    assert "removal 1 rows removed k cdcdcdcdcdcd" in read(boss.get(f"{BASE}/seal/")).text
    assert '[{"table": "iwrouting_decision"}]' in read(boss.get(f"{BASE}/seal/8/change/")).text


def test_alerts__list_what_stands_above_what_was_told(boss: Client) -> None:
    keeping.alert(rule="disk_low", subject="web-2", at=timezone.now() - timedelta(hours=1))
    keeping.alert(rule="disk_low", subject="web-2", state="cleared")
    keeping.alert(told="", fault="mail: refused")
    page = read(boss.get(f"{BASE}/alert/"))
    standing, _, told = page.text.partition("A part of a subject")
    assert "journal_in_use web-1 12 bytes wait" in standing
    assert "not told by mail" in standing
    assert "web-2" not in standing
    assert "cleared disk_low web-2" in told
    _, _, only = read(boss.get(f"{BASE}/alert/?rule=disk_low")).text.partition("Clear filters")
    assert "journal_in_use web-1" not in only


def test_alerts__of_nothing__say_so(boss: Client) -> None:
    text = read(boss.get(f"{BASE}/alert/")).text
    assert "Nothing stands." in text
    assert "No alert was ever raised." in text
