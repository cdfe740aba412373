"""`/metrics` is the text format, tells of all workers by host and process, and needs no database to tell of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError

from iwrouting.api.metrics import CONTENT_TYPE, Family, Scrape, families, render
from iwrouting.meters import mine
from iwrouting.models import QuarantinedRow, Revision, Seal, Writer
from tests.api.exposition import parse, series
from tests.api.stock import Stock, refused
from tests.audit_tables.databases import IS_POSTGRESQL

NOW = datetime.now(UTC)


def writer(ident: str, host: str, pid: int, **values: Any) -> None:
    told = {"key_id": "k", "app_version": "a", "mode": "database", "started_at": NOW, "heartbeat_at": NOW}
    Writer.objects.create(id=ident, host=host, pid=pid, **told | values)


def service(**state: Any) -> Any:
    """What a scrape reads of a worker."""
    told = {
        "mode": "journal",
        "queued": 3,
        "last_commit_at": NOW,
        "last_seq": 70,
        "journal_bytes": 900,
        "journaled_rows": 5,
        "quarantined_rows": 1,
        "dropped_rows": 0,
        "not_durable": "",
    }
    store = SimpleNamespace(
        current=SimpleNamespace(revision=41, glass=("override:12",)),
        age_s=0.25,
        fault="",
        source="database",
        keeper=SimpleNamespace(fault=""),
        glass=SimpleNamespace(fault=""),
    )
    return SimpleNamespace(
        writer=SimpleNamespace(id="own", state=lambda: told | state),
        store=store,
        calls={1},
        going_on={2},
        meters=mine(),
    )


def by_host(found: dict[Any, float], wanted: str) -> dict[str, float]:
    return {dict(labels)["host"]: value for (name, labels), value in found.items() if name == wanted}


def scraped(of: Any = None) -> dict[Any, float]:
    return parse(render(families(Scrape(of, NOW))))


def test_the_format__holds_whatever_stands_in_labels_and_values() -> None:
    family = Family("iw_x", "gauge", 'a "help"\nof two lines \\')
    family.add(1, host='a"b\\c\nd', pid="1")
    family.add(1.5e300)
    family.add(None, host="not known")
    empty = Family("iw_none", "gauge", "Nothing.")
    assert parse(render([family, empty])) == {
        series("iw_x", host='a"b\\c\nd', pid="1"): 1.0,
        series("iw_x"): 1.5e300,
    }


def test_a_key_without_the_scope__is_refused(stock: Stock) -> None:
    assert refused(stock.get("/metrics")) == (401, "missing_api_key", None)
    assert refused(stock.get("/metrics", stock.key("call"))) == (403, "missing_scope", None)


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"])
def test_prometheus__gets_text(stock: Stock, accept: str) -> None:
    writer("w1", "web-1", 11, queued=4, mode="journal", last_commit_at=NOW, journal_bytes=77, snapshot_fault="refused")
    answer = stock.get("/metrics", stock.key("read_audit"), accept=accept)
    assert (answer.status_code, answer["content-type"]) == (200, CONTENT_TYPE)
    found = parse(answer.content.decode())
    web = {"host": "web-1", "pid": "11"}
    assert found[series("iwrouting_audit_queue", **web)] == 4
    assert found[series("iwrouting_audit_mode", **web, mode="journal")] == 1
    assert found[series("iwrouting_audit_mode", **web, mode="database")] == 0
    assert found[series("iwrouting_audit_journal_bytes", **web)] == 77
    assert found[series("iwrouting_audit_last_commit_timestamp_seconds", **web)] == round(NOW.timestamp(), 3)
    assert found[series("iwrouting_snapshot_fault", **web)] == 1
    assert found[series("iwrouting_database_up")] == 1


def test_the_answering_worker__tells_live_and_the_others_by_their_rows(db: None) -> None:
    writer("own", "web-1", 1, queued=99)
    writer("other", "web-2", 1, queued=7, revision=40)
    writer("again", "web-2", 1, queued=8, started_at=NOW - timedelta(hours=1))
    writer("ended", "web-3", 1, ended_at=NOW)
    writer("swept", "web-3", 2, swept_at=NOW)
    writer("gone", "web-3", 3, heartbeat_at=NOW - timedelta(hours=1))
    Seal.objects.create(number=3, at=NOW, kind="hourly", key_id="k", hash="h")
    QuarantinedRow.objects.create(id=uuid4(), at=NOW, writer_id="other", table_name="iwrouting_decision", reason="x")
    found = scraped(service())
    queues = by_host(found, "iwrouting_audit_queue")
    own = next(host for host in queues if host != "web-2")
    assert queues == {own: 3, "web-2": 7}
    assert by_host(found, "iwrouting_audit_rows_total") == {own: 70, "web-2": 0}
    assert found[series("iwrouting_audit_last_seal_timestamp_seconds")] == round(NOW.timestamp(), 3)
    assert found[series("iwrouting_audit_quarantine_rows")] == 1
    assert found[series("iwrouting_audit_silent_workers")] == 1
    assert by_host(found, "iwrouting_break_glass_overrides") == {own: 1}
    assert found[series("iwrouting_configuration_changed_by_sql")] == 0
    Revision.objects.update_or_create(id=1, defaults={"touches": 1})
    assert scraped()[series("iwrouting_configuration_changed_by_sql")] == 1
    partitions = {name for name, _ in found if name == "iwrouting_audit_default_partition_rows"}
    assert bool(partitions) is IS_POSTGRESQL


def test_without_the_database__it_tells_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: object, **options: object) -> None:
        raise DatabaseError("address")

    monkeypatch.setattr("iwrouting.api.metrics.workers.siblings", away)
    told = scraped(service())
    assert told[series("iwrouting_database_up")] == 0
    assert 3 in told.values()
    assert not any(name == "iwrouting_audit_quarantine_rows" for name, _ in told)


def test_with_a_database_that_is_known_to_be_away__no_scrape_waits_for_it() -> None:
    of = service()
    of.store.fault = "database: OperationalError"
    told = scraped(of)
    assert told[series("iwrouting_database_up")] == 0
    assert {value for (name, _), value in told.items() if name == "iwrouting_snapshot_fault"} == {1.0}


def test_every_name__stands_in_the_docs(db: None) -> None:
    writer("other", "web-2", 1)
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    told = {family.name for family in families(Scrape(service(), NOW))}
    assert told == set(re.findall(r"`((?:iwrouting|gen_ai_client)_[a-z_]+)`", page))
