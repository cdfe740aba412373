"""`GET /api/v1/usage`: sums by anything, in any zone, for the projects of the key, as JSON and as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iwrouting.api.management.usage import asking, views
from iwrouting.conf import settings
from iwrouting.models import UsageState
from iwrouting.models.usage import MEASURES
from iwrouting.reports.usage import reading
from iwrouting.reports.usage.rolling import roll
from tests.api.document import faults
from tests.api.stock import Stock, error_of, refused
from tests.audit_tables import rows

USAGE = "/api/v1/usage"
DAY = "from=2026-10-25&to=2026-10-26&zone=Europe/Berlin"
BEGIN = datetime(2026, 10, 24, 22, tzinfo=UTC)
"""Where that day begins, which has 25 hours."""


@pytest.fixture
def key(stock: Stock) -> str:
    """A key that reads the project atlas."""
    return stock.key("read_audit")


def store(hours: float = 1, result: str = "ok", **values: Any) -> None:
    """A decision some hours after BEGIN, and its outcome, which costs a dollar."""
    ended = {name: values.pop(name) for name in ("cost_pico", "cost_state", "model_served") if name in values}
    made = rows.decision(BEGIN + timedelta(hours=hours), **values)
    usual: dict[str, Any] = {"cost_pico": 10**12, "cost_state": "exact", "prompt_tokens": 10}
    rows.outcome(made, result, **usual | ended)


def read(stock: Stock, key: str, query: str) -> dict[str, Any]:
    """An answer, as the document promises it."""
    answer = stock.get(f"{USAGE}?{query}", key)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    assert faults("GET", USAGE, 200, found) == []
    return found


def picked(found: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of the rows."""
    return [tuple(row[name] for name in names) for row in found["results"]]


def test_a_day__of_25_hours_by_hours__has_the_hour_that_comes_twice_twice(stock: Stock, key: str) -> None:
    for hours in (-0.001, 2.5, 3.5, 24.999, 25):
        store(hours)
    roll(lambda _line: None)
    found = read(stock, key, f"{DAY}&group_by=hour")
    assert (found["from"], found["to"]) == ("2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z")
    assert picked(found, "hour", "calls") == [
        ("2026-10-25T02:00:00+02:00", 1),
        ("2026-10-25T02:00:00+01:00", 1),
        ("2026-10-25T23:00:00+01:00", 1),
    ]
    assert (found["totals"]["calls"], found["totals"]["cost_usd"], found["groups"]) == (3, "3", 3)
    assert (found["read_from"], found["is_complete"], found["zone"]) == (["cells"], True, "Europe/Berlin")


def test_weeks_months_and_days__begin_in_the_zone(stock: Stock, key: str) -> None:
    store(-0.5)
    store(0.5)
    for step, expected in (("day", ["2026-10-24", "2026-10-25"]), ("week", ["2026-10-19"]), ("month", ["2026-10"])):
        found = read(stock, key, f"from=2026-10-01&to=2026-11-01&zone=Europe/Berlin&group_by={step}")
        assert [row[step] for row in found["results"]] == expected
        assert found["read_from"] == ["cells", "rows"]


def test_every_name__groups_and_filters(stock: Stock, key: str) -> None:
    named: dict[str, Any] = {
        "alias": "auto",
        "kind": "chat_mode",
        "inferred_mode": "deep",
        "reason": "else: nothing",
        "model_served": "gpt-5.1",
        "upstream": "other",
        "source": "override",
        "key_id": "k9",
        "endpoint": "responses",
        "run_id": "r9",
        "tags": '["a","b"]',
    }
    said = dict(
        zip(
            ("alias", "kind", "mode", "rule", "model", "upstream", "source", "key", "endpoint", "run", "tag"),
            named.values(),
            strict=True,
        )
    )
    said |= {"project": "atlas", "rule": "else", "tag": "b"}
    assert set(said) == set(asking.COLUMNS)
    store(2)
    store(**named)
    for name, value in said.items():
        other = {"project": "atlas", "kind": "role", "source": "default"}.get(name, "x")
        assert read(stock, key, f"{DAY}&{name}={value}&{name}={other}")["totals"]["calls"] >= 1, name
        grouped = read(stock, key, f"{DAY}&group_by={name}")
        assert value in [row[name] for row in grouped["results"]], name
        assert grouped["totals"]["calls"] == 2, name
    every = f"{DAY}&group_by={','.join(asking.COLUMNS)}&{'&'.join(f'{name}={value}' for name, value in said.items())}"
    [row] = read(stock, key, every)["results"]
    assert {name: row[name] for name in said} == said
    assert row["calls"] == 1


def test_an_empty_name__is_null_and_found_by_an_empty_filter(stock: Stock, key: str) -> None:
    store(alias="", kind="")
    store()
    assert picked(read(stock, key, f"{DAY}&group_by=alias,kind&alias="), "alias", "kind", "calls") == [(None, None, 1)]


def test_the_top__by_cost_are_the_first_and_the_answer_says_of_how_many(stock: Stock, key: str) -> None:
    for number, cost in enumerate((5, 9, 7)):
        store(alias=f"a{number}", cost_pico=cost)
    found = read(stock, key, f"{DAY}&group_by=alias&order_by=-cost_pico&limit=2")
    assert picked(found, "alias", "cost_pico", "cost_usd") == [
        ("a1", 9, "0.000000000009"),
        ("a2", 7, "0.000000000007"),
    ]
    assert (found["groups"], found["totals"]["cost_pico"]) == (3, 21)
    assert "The first 2 of 3 rows; totals are of all." in found["notes"]


def test_tags__overlap_in_rows_and_count_once_in_totals(stock: Stock, key: str) -> None:
    store(tags='["a","b"]')
    store(tags='["a"]')
    store()
    found = read(stock, key, f"{DAY}&group_by=tag")
    assert (picked(found, "tag", "calls"), found["totals"]["calls"]) == ([("a", 2), ("b", 1)], 3)
    assert any("once in totals" in note for note in found["notes"])
    assert read(stock, key, f"{DAY}&tag=a&tag=b")["totals"]["calls"] == 2
    several = read(stock, key, f"{DAY}&group_by=tag&tag=a&tag=b")
    assert (picked(several, "tag", "calls"), several["totals"]) == ([("a", 2), ("b", 1)], None)
    assert any("left out" in note for note in several["notes"])


def test_what_is_left_out__is_told(stock: Stock, key: str) -> None:
    store(cost_pico=None, cost_state="unpriced")
    store(cost_state="estimated")
    store(is_test=True)
    found = read(stock, key, DAY)
    assert (found["totals"]["calls"], found["totals"]["unpriced"], found["totals"]["cost_usd"]) == (2, 1, "1")
    assert found["notes"] == [
        "Test traffic is left out; is_test=all counts it too.",
        "1 without a price are in no cost.",
        "The cost of 1 is an estimate.",
    ]
    assert read(stock, key, f"{DAY}&is_test=all")["totals"]["calls"] == 3
    assert read(stock, key, f"{DAY}&is_test=true")["totals"]["calls"] == 1


def test_open_decisions__make_the_last_hours_incomplete(stock: Stock, key: str) -> None:
    rows.decision(datetime.now(UTC) - timedelta(minutes=5))
    rows.decision(datetime.now(UTC) - timedelta(minutes=5), project="borealis")
    found = read(stock, key, "")
    assert (found["is_complete"], found["open_decisions"], found["totals"]["calls"]) == (False, 1, 0)
    assert any(note == "1 still open when asked, in nothing yet." for note in found["notes"])
    length = datetime.fromisoformat(found["to"]) - datetime.fromisoformat(found["from"])
    assert length == timedelta(days=1)
    assert not read(stock, key, "from=2026-10-25&to=2100-01-01")["is_complete"]


def test_a_key__reads_its_own_projects_alone(stock: Stock, key: str) -> None:
    store()
    store(project="borealis", tags='["a"]')
    assert picked(read(stock, key, f"{DAY}&group_by=project"), "project") == [("atlas",)]
    assert refused(stock.get(f"{USAGE}?{DAY}&project=borealis", key)) == (403, "project_not_granted", "project")
    assert refused(stock.get(f"{USAGE}?{DAY}&project=", key)) == (403, "project_not_granted", "project")
    assert read(stock, key, f"{DAY}&group_by=tag")["results"] == []
    both = stock.key("read_audit", projects=["borealis"])
    assert read(stock, both, DAY)["totals"]["calls"] == 2
    every = stock.key("read_audit", projects=["*"])
    assert read(stock, every, f"{DAY}&project=borealis")["totals"]["calls"] == 1


def test_a_project__is_named_by_the_backends_own_id_too(stock: Stock) -> None:
    stock.project("maps", external_id="ws-7")
    store(project="maps")
    every = stock.key("read_audit", projects=["*"])
    assert picked(read(stock, every, f"{DAY}&project=ws-7&project=maps&group_by=project"), "project") == [("maps",)]


def test_filters_that_nothing_fits__are_told(stock: Stock) -> None:
    store()
    every = stock.key("read_audit", projects=["*"])
    found = read(stock, every, f"{DAY}&project=atlsa&model=a&model=b")
    assert (found["groups"], found["notes"][0]) == (
        0,
        "Nothing that was used then has project 'atlsa' and model 'a' or 'b'.",
    )
    assert not [note for note in read(stock, every, f"{DAY}&project=atlas")["notes"] if "Nothing" in note]


def test_files__have_the_same_rows_and_no_formula(stock: Stock, key: str) -> None:
    hostile = '=HYPERLINK("http://x")'
    store(alias=hostile)
    store(alias="\x1b[31m,b")
    found = read(stock, key, f"{DAY}&group_by=alias,day")["results"]
    lines = stock.get(f"{USAGE}?{DAY}&group_by=alias,day&format=jsonl", key)
    assert [json.loads(line) for line in lines.content.splitlines()] == found
    sheet = stock.get(f"{USAGE}?{DAY}&group_by=alias,day", key, accept="text/csv")
    assert sheet["content-type"].startswith("text/csv")
    table = [*csv.DictReader(io.StringIO(sheet.content.decode()))]
    assert list(table[0]) == ["day", "alias", *MEASURES, "cost_usd"]
    assert {row["alias"] for row in table} == {f"'{hostile}", "\x1b[31m,b"}
    assert (table[0]["calls"], table[0]["cost_usd"], table[0]["cached_tokens"]) == ("1", "1", "")


def test_more_rows__than_an_answer_takes__are_refused_unless_the_first_are_asked_for(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST", 2)
    for number in range(3):
        store(alias=f"a{number}")
    for form in ("json", "jsonl", "csv"):
        answer = stock.get(f"{USAGE}?{DAY}&group_by=alias&format={form}", key)
        assert refused(answer) == (400, "too_many_rows", "group_by")
        assert "This has 3 rows" in error_of(answer)["message"]
        assert stock.get(f"{USAGE}?{DAY}&group_by=alias&format={form}&limit=2", key).status_code == 200


@pytest.mark.parametrize(
    ("query", "param", "told"),
    [
        ("group_by=colour", "group_by", "'colour'"),
        ("group_by=day,hour", "group_by", "day and hour"),
        ("order_by=alias", "order_by", "'alias'"),
        ("order_by=cost", "order_by", "-cost_pico"),
        ("limit=0", "limit", "1 to 10000"),
        ("zone=Europe/Berln", "zone", "Did you mean 'Europe/Berlin'?"),
        ("zone=../../etc/passwd", "zone", "IANA"),
        ("zone=%00", "zone", "IANA"),
        ("from=2026-10-25T00:00:00", "from", "with its zone"),
        ("from=2026-10-25T00:00:00+01:00", "from", "%2B"),
        ("from=2026-13-01", "from", "'2026-13-01'"),
        ("from=1969-12-31", "from", "between 1970 and 2200"),
        ("from=2026-10-25&to=2026-10-25", "to", "after from"),
        ("from=2000-01-01&to=2026-01-01&group_by=hour", "group_by", "10000 parts by hour"),
        ("kind=colour", "kind", "chat_mode"),
        ("source=colour", "source", "override"),
        ("tag=a,b", "tag", "'a,b'"),
        ("run=", "run", "''"),
        ("alias=%00", "alias", "zero byte"),
        ("is_test=1", "is_test", "false, true, all"),
        ("colour=red", "colour", "known are alias"),
        ("format=xml", "format", "jsonl"),
    ],
)
def test_what_can_t_be_asked__is_refused_by_name(stock: Stock, key: str, query: str, param: str, told: str) -> None:
    answer = stock.get(f"{USAGE}?{query}", key)
    assert refused(answer) == (400, "invalid_request", param)
    assert told in error_of(answer)["message"]


def test_a_time__between_milliseconds__tells_no_decisions_apart(stock: Stock, key: str) -> None:
    store(1)
    at = (BEGIN + timedelta(hours=1)).isoformat().replace("+00:00", "")
    for start, expected in ((f"{at}.000000Z", 1), (f"{at}.000001Z", 0)):
        assert read(stock, key, f"from={start}&to=2026-10-26")["totals"]["calls"] == expected
    assert read(stock, key, f"from=2026-10-24&to={at}.000001Z")["totals"]["calls"] == 1


def test_rows_that_are_removed__bound_what_can_be_asked(stock: Stock, key: str) -> None:
    store(1)
    roll(lambda _line: None)
    UsageState.objects.update(raw_from=BEGIN + timedelta(days=1))
    assert read(stock, key, DAY)["totals"]["calls"] == 1
    cut = stock.get(f"{USAGE}?from=2026-10-24T22:07:00Z&to=2026-10-26", key)
    assert refused(cut) == (400, "rows_removed", "from")
    assert "2026-10-24T22:00:00.000Z or 2026-10-24T22:15:00.000Z" in error_of(cut)["message"]
    assert refused(stock.get(f"{USAGE}?from=2026-10-24&to=2026-10-24T22:07:00Z", key)) == (400, "rows_removed", "to")
    gone = stock.get(f"{USAGE}?{DAY}&group_by=run,alias", key)
    assert refused(gone) == (400, "rows_removed", "from")
    assert "2026-10-25T22:00:00.000Z" in error_of(gone)["message"]


def test_what_takes_the_database_too_long__says_what_to_narrow(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e9) SELECT MAX(i) FROM n"
    monkeypatch.setattr(reading, "statement", lambda *_: (endless, []))
    monkeypatch.setattr(views, "PATIENCE_S", 0.05)
    answer = stock.get(f"{USAGE}?{DAY}&group_by=run,alias", key)
    assert refused(answer) == (400, "takes_too_long", None)
    assert "by project alone" in error_of(answer)["message"]


def test_the_zone__is_that_of_the_site_where_none_is_named(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = settings().model_copy(update={"report_zone": "Asia/Kathmandu"})
    monkeypatch.setattr(asking, "settings", lambda: changed)
    found = read(stock, key, "from=2026-10-25&to=2026-10-26")
    assert (found["zone"], found["from"]) == ("Asia/Kathmandu", "2026-10-24T18:15:00.000Z")
