"""The System page: how the service stands; what is a secret is not shown; what may be done, and by whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from iwrouting import __version__
from iwrouting.admin import environment
from iwrouting.admin.attention import attention_list
from iwrouting.alerts.findings import this_host
from iwrouting.audit.keeping.partitions import MONTHS_AHEAD
from iwrouting.audit.keeping.tables import first_of_month
from iwrouting.conf.environment import variables
from iwrouting.conf.settings import load, settings
from iwrouting.models import Override, Revision
from iwrouting.snapshot import store
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read
from tests.alerts import cast as keeping

SYSTEM = "/admin/system/"
IS_POSTGRESQL = connection.vendor == "postgresql"
SECRETS = {
    "IW_SECRET_KEY": "of-the-tests-alone-and-hidden-hidden-hidden",
    "OPENAI_API_KEY": "sk-hidden-hidden-hidden",
    "IW_UPSTREAM_EU": "hidden-key-of-eu",
    "IW_AUDIT_KEY": "k" * 32 + "hidden",
    "IW_EMAIL_URL": "smtp://ada:hidden@localhost",
    "IW_ALERT_WEBHOOK_URL": "https://hooks.example.org/hidden",
    "IW_ALERT_WEBHOOK_SECRET": "hidden-too",
    "IW_API_KEY_SHA256": "ab" * 32,
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All of them set, and a routing variable."""
    for name, value in {**SECRETS, "OPENAI_MODEL_CODE": "gpt-4.1", "IW_DRAIN_S": "7"}.items():
        monkeypatch.setenv(name, value)
    variables.cache_clear()
    conf = load()
    monkeypatch.setattr(environment, "settings", lambda: conf)
    yield
    monkeypatch.undo()
    variables.cache_clear()


def test_page__shows_workers_process_database_seals_and_retention(boss: Client) -> None:
    Revision.objects.update_or_create(id=1, defaults={"number": 42})
    keeping.writer(host=this_host(), pid=os.getpid(), revision=42)
    keeping.writer(pid=7, mode="refusing", queued=12_345)
    keeping.writer(pid=8, ended_at=timezone.now() - timedelta(hours=2))
    keeping.seal(number=5, at=timezone.now() - timedelta(hours=1))
    keeping.seal(number=6, kind="removal")
    page = read(boss.get(SYSTEM))
    for words in (
        f"{this_host()}:{os.getpid()} this page running database 0",
        "web-1:7 running refusing 12,345",
        f"iwrouting {__version__}",
        "Last seal number 6, removal",
        "Last removal seal 6",
        "400 days (IW_AUDIT_RETENTION_DAYS)",
        "o200k_base",
        "Kind PostgreSQL" if IS_POSTGRESQL else "Kind SQLite",
        "synchronous_commit" if IS_POSTGRESQL else "Synchronous",
    ):
        assert words in page.text, words
    assert "web-1:8" not in page.text
    assert page.faults == []


def test_mode_of_a_process__is_in_colour_while_it_runs(boss: Client) -> None:
    keeping.writer(pid=7)
    keeping.writer(pid=8, ended_at=timezone.now())
    keeping.writer(pid=9, heartbeat_at=timezone.now() - timedelta(minutes=5))
    page = boss.get(SYSTEM).content.decode()
    assert (page.count('iw-good">database'), page.count('iw-plain">database')) == (1, 2)


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no partitions")
def test_partitions__say_what_is_next_and_whether_the_default_one_is_empty(boss: Client) -> None:
    assert "default 0 0 0" in read(boss.get(SYSTEM)).text
    last = first_of_month(timezone.now().date(), MONTHS_AHEAD)
    assert f"made ahead to {last:%Y-%m}" in read(boss.get(SYSTEM)).text
    cast.decision(id="00000000-7b3c-7cc0-8f5e-0123456789ab")
    text = read(boss.get(SYSTEM)).text
    assert "default 1 0 0" in text
    assert "not empty: manage.py partitions drain" in text
    assert "The default partition of iwrouting_decision holds rows" in text


@pytest.mark.skipif(IS_POSTGRESQL, reason="PostgreSQL has partitions")
def test_partitions__on_sqlite__are_said_not_to_be(boss: Client) -> None:
    assert "SQLite has none: its tables are plain." in read(boss.get(SYSTEM)).text


@pytest.mark.usefixtures("secrets")
def test_settings__show_name_value_and_source_and_never_a_secret(boss: Client) -> None:
    text = read(boss.get(SYSTEM)).text
    assert "hidden" not in text
    assert "ab" * 32 not in text
    for name in SECRETS:
        assert f"{name} set, not shown environment" in text, name
    assert "IW_DRAIN_S 7.0 environment" in text
    assert "OPENAI_MODEL_CODE gpt-4.1 environment" in text
    assert "IW_AUDIT_QUEUE 10000 not set" in text
    assert "DATABASE_URL set, not shown" in text or "DATABASE_URL not set not set" in text


@pytest.mark.usefixtures("secrets")
def test_routing_variables__show_value_standing_and_what_shadows_them(boss: Client) -> None:
    code = cast.alias("code", variable="OPENAI_MODEL_CODE")
    glob = Override(alias=code, model="gpt-4.1-mini")
    own = Override(alias=code, project=cast.project("atlas"), model="gpt-4.1-nano")
    for row in (glob, own):
        row.save()
    page = read(boss.get(SYSTEM))
    assert "Routing variables (1 variable set, environment " in page.text
    shadows = f"override:{glob.pk} for all projects; 1 project: atlas ( override:{own.pk} )"
    assert f"OPENAI_MODEL_CODE gpt-4.1 shadowed alias:code gpt-4.1-mini by override {shadows}" in page.text
    assert f"/admin/iwrouting/override/{own.pk}/change/" in page.values("a", "href")
    assert page.faults == []


def test_page__without_the_permission__says_which_is_missing(as_user: LoggedIn) -> None:
    client = as_user(cast.person("nobody", "view_alias"))
    answer = client.get(SYSTEM)
    assert (answer.status_code, "iwrouting.view_writer" in answer.content.decode()) == (403, True)
    assert SYSTEM not in read(client.get("/admin/")).values("a", "href")
    assert client.post(f"{SYSTEM}reload/").status_code == 403
    assert client.get(f"{SYSTEM}maintenance/").status_code == 403


def test_viewers__see_it_in_the_menu_without_buttons(as_user: LoggedIn) -> None:
    vera = cast.person("vera")
    vera.groups.set(Group.objects.filter(name="Viewer"))
    client = as_user(vera)
    assert SYSTEM in read(client.get("/admin/")).values("a", "href")
    page = read(client.get(SYSTEM))
    assert "Reload snapshot" not in page.values("input", "value")
    assert f"{SYSTEM}maintenance/" not in page.values("a", "href")
    assert client.post(f"{SYSTEM}reload/").status_code == 403


def test_reload__raises_the_revision_so_that_every_worker_reads_anew(as_user: LoggedIn) -> None:
    olga = cast.person("olga")
    olga.groups.set(Group.objects.filter(name="Operator"))
    client, before = as_user(olga), Revision.current()
    assert client.post(f"{SYSTEM}reload/").status_code == 200
    assert Revision.current() == before, "nothing changes without a reason"
    page = read(forms.confirm(client, f"{SYSTEM}reload/"))
    assert f"as revision {before + 1}" in page.text
    assert Revision.current() == before + 1
    assert LogEntry.objects.latest("id").change_message == "Made every worker read the configuration anew."


def test_maintenance__shows_what_it_would_do_before_it_is_run(boss: Client) -> None:
    page = read(boss.get(f"{SYSTEM}maintenance/"))
    assert "retention in order would remove 0 months" in page.text
    assert "Run maintenance" in page.values("input", "value")


def test_overview__of_a_healthy_service__has_no_attention_list(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.writer(last_seq=3)
    keeping.seal()
    monkeypatch.setattr(type(store), "age_s", property(lambda _self: 1.0))
    assert "Needs attention" not in read(boss.get("/admin/")).text


def test_overview__lists_what_needs_somebody_each_with_a_link(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.writer(mode="journal", queued=settings().audit_queue)
    keeping.quarantined(at=timezone.now() - timedelta(days=1))
    keeping.quarantined(reason="withdrawn")
    keeping.alert(rule="upstream_quota", subject="environment", message="The quota of environment is spent.")
    keeping.alert(rule="journal_in_use", subject="web-1", message="as the finding says")
    monkeypatch.setattr(type(store), "age_s", property(lambda _self: 31.0))
    page = read(boss.get("/admin/"))
    for words in (
        "1 writer of web-1 can't write to the database directly: 4711 in mode journal, 0 bytes. Journal in use",
        "The audit is behind: 10,000 of 10,000 places of the queue of web-1:4711 are taken. Workers",
        "This worker's snapshot is 31 s old",
        "1 row came into quarantine in the last 7 days. Quarantined rows",
        "The quota of environment is spent. Alert",
    ):
        assert words in page.text, words
    assert "as the finding says" not in page.text
    hrefs = page.values("a", "href")
    assert {SYSTEM, "/admin/iwrouting/quarantinedrow/", "/admin/iwrouting/alert/?rule=upstream_quota"} <= set(hrefs)


@pytest.mark.usefixtures("db")
def test_attention__of_hostile_text__stays_text() -> None:
    keeping.alert(rule="upstream_quota", subject="x", message=cast.HOSTILE)
    assert "<script>" not in "".join(attention_list())
