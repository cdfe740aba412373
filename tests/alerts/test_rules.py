"""Each rule holds where it should, for whom, and not otherwise; none shows a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from iwrouting.alerts import standing_findings
from iwrouting.alerts.findings import this_host
from iwrouting.alerts.rules import look_with_database, look_without_database
from iwrouting.audit.journal.journal import Journal, Place
from iwrouting.conf.alerts import RULES
from iwrouting.models import Alias, Model, Revision, UsageMark, UsageState
from iwrouting.snapshot import SnapshotStore, glass
from tests.admin.cast import attempt, decision, model
from tests.alerts import cast
from tests.alerts.conftest import Configure

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
Found = Callable[..., dict[str, dict[str, str]]]


@pytest.fixture
def found(configure: Configure) -> Found:
    """What a round finds now: rule -> subject -> message."""

    def look(**values: object) -> dict[str, dict[str, str]]:
        told: dict[str, dict[str, str]] = {}
        for finding in look_with_database(timezone.now(), configure(**values)).findings:
            told.setdefault(finding.rule, {})[finding.subject] = finding.message
        return told

    return look


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


def test_page__names_every_rule() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == set(RULES)


def test_round__covers_every_rule_but_those_that_are_off(configure: Configure) -> None:
    assert look_with_database(timezone.now(), configure()).covered.keys() == RULES.keys()
    off = configure(alert_off=("dead_model", "disk_low"))
    assert look_with_database(timezone.now(), off).covered.keys() == RULES.keys() - {"dead_model", "disk_low"}


def test_healthy_service__finds_nothing(found: Found) -> None:
    cast.writer(last_seq=5, started_at=ago(days=2))
    cast.seal()
    for _ in range(30):
        cast.call()
    assert found() == {}


@pytest.mark.parametrize("fields", [{"mode": "journal"}, {"mode": "refusing"}, {"journal_bytes": 12_345}])
def test_journal_in_use__where_a_running_writer_says_so(found: Found, fields: dict[str, object]) -> None:
    cast.writer(**fields)
    cast.writer(host="web-2")
    cast.writer(host="web-3", heartbeat_at=ago(minutes=5), **fields)
    cast.writer(host="web-4", ended_at=timezone.now(), **fields)
    assert list(found()["journal_in_use"]) == ["web-1"]


def test_journal_in_use__where_records_stand_in_the_folder(found: Found, configure: Configure) -> None:
    journal = Journal(Place(configure().journals, 10_000), "0190d5e2-7b3c-7cc0-8f5e-0123456789ab")
    journal.open()
    assert found() == {}, "a segment without records is no use"
    journal.append(b"x" * 100)
    assert list(found()["journal_in_use"]) == [this_host()]
    away = look_without_database(configure()).findings
    assert [each.rule for each in away] == ["database_away", "journal_in_use"]
    assert away[0].message.endswith("Calls go on: rows are journaled.")
    strict = look_without_database(configure(audit_strict=True)).findings
    assert strict[0].message.endswith("IW_AUDIT_STRICT: calls get 503.")
    journal.close()


def test_writer_silent__after_a_quarter_of_an_hour_unless_it_ended_or_was_swept(found: Found) -> None:
    cast.writer(heartbeat_at=ago(minutes=14))
    cast.writer(heartbeat_at=ago(hours=1), ended_at=ago(hours=1))
    cast.writer(heartbeat_at=ago(hours=1), swept_at=ago(minutes=30))
    assert found() == {}
    cast.writer(heartbeat_at=ago(minutes=16))
    assert "1 writer of web-1" in found()["writer_silent"]["web-1"]


def test_rows_lost__where_a_writer_counts_any(found: Found) -> None:
    cast.writer(dropped_rows=3)
    assert "has dropped 3 audit rows" in found()["rows_lost"]["web-1"]


def test_rows_quarantined__within_the_window_but_those_withdrawn(found: Found) -> None:
    cast.quarantined(at=ago(minutes=11))
    cast.quarantined(reason="withdrawn")
    assert found() == {}
    cast.quarantined()
    cast.quarantined(reason="duplicate")
    assert set(found()["rows_quarantined"]) == {"22021", "duplicate"}


def test_snapshot_behind__where_it_is_refused_or_old(found: Found) -> None:
    Revision.objects.update_or_create(id=1, defaults={"number": 42})
    cast.writer(revision=41)
    assert found() == {}, "it has a minute to follow"
    Revision.objects.filter(id=1).update(changed_at=ago(minutes=2))
    assert "serves revision 41, now is 42" in found()["snapshot_behind"]["web-1"]
    cast.writer(host="web-2", revision=42, snapshot_fault="snapshot refused: alias code")
    assert "snapshot refused: alias code" in found()["snapshot_behind"]["web-2"]


@pytest.mark.parametrize(
    ("kind", "model", "rule"), [("role", " ", "default_missing"), ("embedding", "small", "embedding_chain")]
)
def test_snapshot_behind__names_the_rule_that_refused_it_however_long_the_alias(
    found: Found, kind: str, model: str, rule: str
) -> None:
    Alias(name="a" * 64, kind=kind, default_model=model, chain=["fast"]).save()
    store = SnapshotStore()
    store.check()
    # A writer's row holds so much of it.
    cast.writer(snapshot_fault=store.fault[:200])
    assert f"[{rule}]" in found()["snapshot_behind"]["web-1"]


def test_snapshot_behind__for_a_change_by_sql__leaves_that_to_its_own_rule(found: Found) -> None:
    Model(model_id="gpt-x", endpoints=["chat"]).save()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_model SET enabled = %s", [False])
    cast.writer(snapshot_fault="snapshot refused: the configuration was changed by SQL after revision 42")
    assert found().keys() == {"changed_by_sql"}
    assert "config_adopt --dry-run" in found()["changed_by_sql"][""]
    Revision.objects.update(accounted=F("touches"))
    assert found() == {}


def test_break_glass__while_an_override_is_switched_off_here(
    found: Found, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = configure()
    monkeypatch.setattr("iwrouting.snapshot.glass.settings", lambda: conf)
    pane = glass.Pane("1", "override:12", "code for atlas -> x", 3, "web-1", timezone.now(), "ann", "It is down")
    glass.rewrite(lambda panes: [pane])
    told = found()["break_glass"][this_host()]
    assert "whatever the database says: override:12." in told
    assert "atlas" not in told
    assert [each.rule for each in look_without_database(conf).findings] == ["database_away", "break_glass"]
    assert "break_glass" in [each.rule for each in standing_findings(timezone.now(), conf)]
    glass.rewrite(lambda panes: [pane.ended(timezone.now(), "ann", "It is well")])
    assert found() == {}
    glass.path().write_bytes(b"spoilt")
    assert "It is ignored: remove it." in found()["break_glass"][this_host()]


def test_disk_low__by_the_threshold(found: Found) -> None:
    assert "IW_ALERT_DISK_MB=99000000" in found(alert_disk_mb=99_000_000)["disk_low"][this_host()]
    assert found(alert_disk_mb=0) == {}


def test_disk_low__where_the_folder_takes_nothing(found: Found, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (
        "can't be written to"
        in found(journal_dir=tmp_path / "file" / "journal", alert_disk_mb=0)["disk_low"][this_host()]
    )


def test_seal_overdue__three_hours_after_the_last_one_or_the_first_row(found: Found) -> None:
    cast.writer(started_at=ago(hours=4))
    assert found() == {}, "nothing was written"
    cast.writer(started_at=ago(hours=2), last_seq=9)
    assert found() == {}
    cast.writer(started_at=ago(hours=4), last_seq=9)
    assert found()["seal_overdue"][""] == "There is no seal."
    cast.seal(at=ago(hours=3.5))
    cast.seal(number=2, kind="removal")
    assert "The last seal of the audit is of" in found()["seal_overdue"][""]
    cast.seal(number=3)
    assert found() == {}


def test_usage_behind__workers_run_and_none_has_summed_up_for_three_hours(found: Found) -> None:
    UsageMark.objects.create(bucket_at=ago(hours=4))
    assert "usage_behind" not in found(), "nobody runs"
    cast.writer(started_at=ago(minutes=5))
    assert "usage_behind" not in found(), "it may be about to"
    cast.writer(started_at=ago(hours=1))
    assert "waits to be summed up" in found()["usage_behind"][""]
    UsageState.objects.update_or_create(id=1, defaults={"rolled_at": ago(hours=2)})
    assert "usage_behind" not in found()
    UsageState.objects.update(rolled_at=ago(hours=5))
    assert "usage_behind" in found()
    UsageMark.objects.update(bucket_at=ago(hours=1))
    assert "usage_behind" not in found()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's tables are plain")
def test_partitions__rows_in_the_default_one_and_a_month_that_is_missing(found: Found) -> None:
    decision(id="00000000-7b3c-7cc0-8f5e-0123456789ab")
    assert "partitions drain" in found()["default_partition"]["iwrouting_decision"]
    month = (timezone.now().replace(day=1) + timedelta(days=32)).strftime("y%Ym%m")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE iwrouting_outcome DETACH PARTITION iwrouting_outcome_{month}")
    assert list(found()["months_ahead"]) == ["iwrouting_outcome"]


def test_dead_model__called_within_the_window(found: Found) -> None:
    model("gpt-dead", shutdown_date=date(2026, 1, 1))
    model("gpt-late", shutdown_date=datetime.now(UTC).date() + timedelta(days=9))
    cast.call(model="gpt-late")
    assert found() == {}
    cast.call(model="gpt-dead")
    cast.call(model="gpt-nobody", status=404, error_code="model_not_found")
    cast.call(model="a prompt, by mistake", status=404, error_code="model_not_found")
    told = found()["dead_model"]
    assert set(told) == {"gpt-dead", "gpt-nobody", "a model"}
    assert "was shut down on 2026-01-01: 1 call in the last 10 minutes" in told["gpt-dead"]
    Model.objects.filter(model_id="gpt-dead").delete()
    assert set(found()["dead_model"]) == {"gpt-nobody", "a model"}


def test_fallback_share__of_enough_real_calls_of_one_alias(found: Found) -> None:
    for _ in range(3):
        cast.call("code", fallbacks=1)
    for _ in range(6):
        cast.call("code")
    for _ in range(10):
        cast.call("deep", fallbacks=1, is_test=True)
    assert found() == {}, "nine calls are too few"
    assert found(alert_fallback_calls=9)["fallback_share"] == {
        "code": "3 of 9 calls (33%) of code fell back in the last 10 minutes."
    }
    assert found(alert_fallback_calls=9, alert_fallback_share=0.4) == {}


def test_upstream_quota__spent_or_a_key_that_is_not_taken(found: Found) -> None:
    cast.call(status=429, error_code="rate_limit_exceeded")
    assert found() == {}
    cast.call(status=429, error_type="insufficient_quota", error_code="insufficient_quota")
    cast.call(status=401, error_code="invalid_api_key", upstream="eu")
    told = found()["upstream_quota"]
    assert "says that our quota is spent: 1 call" in told["environment"]
    assert "did not take our key: 1 call" in told["eu"]


def test_traffic__before_the_window__does_not_count(found: Found) -> None:
    old = decision(id="0190d5e2-7b3c-7cc0-8f5e-0123456789ab")
    attempt(old, 1, id="0190d5e2-7b3c-7cc0-8f5e-0123456789ac", error_code="insufficient_quota", status=429)
    assert "upstream_quota" not in found()


def test_message__that_holds_a_secret__is_masked(found: Found) -> None:
    cast.writer(snapshot_fault="refused: sk-proj-abcDEF0123456789abcDEF\n of a caller")
    told = found()["snapshot_behind"]["web-1"]
    assert "sk-proj" not in told
    assert told.endswith("[redacted] of a caller")


def test_standing_findings__are_those_over_the_keeping_whatever_is_off(configure: Configure) -> None:
    cast.writer(mode="journal")
    cast.call(status=401, error_code="invalid_api_key")
    conf = configure(alert_off=tuple(RULES), alert_disk_mb=99_000_000)
    assert {each.rule for each in standing_findings(timezone.now(), conf)} == {"journal_in_use", "disk_low"}
