"""`GET /api/v1/decisions`: pages by cursor, every filter, the time looked at, and the same rows as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iwrouting.api.management.listing import pages
from iwrouting.api.management.listing.filters import FILTERS
from iwrouting.api.management.resources import cursors
from iwrouting.models import Decision
from iwrouting.models.patience import cursor_for
from iwrouting.reports.export.asked import Asked
from iwrouting.reports.export.wide import columns_of
from tests.api.document import faults
from tests.api.stock import Stock, error_of, refused
from tests.api.test_decisions import AT, store_one
from tests.audit_tables import rows

LIST = "/api/v1/decisions"
ALL_TIMES = "created_at__gte=2026-11-01T00:00:00Z"


@pytest.fixture
def key(stock: Stock) -> str:
    """A key that reads the project atlas."""
    return stock.key("read_audit")


def read(stock: Stock, key: str, query: str) -> dict[str, Any]:
    """A page."""
    answer = stock.get(query if query.startswith("/") else f"{LIST}?{query}", key)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    assert faults("GET", LIST, 200, found) == []
    return found


def ids(page: dict[str, Any]) -> list[str]:
    """The decisions of a page."""
    return [item["decision_id"] for item in page["results"]]


def test_pages__go_both_ways_and_stay_while_decisions_come(stock: Stock, key: str) -> None:
    stored = [rows.decision(AT + timedelta(milliseconds=number // 3)) for number in range(8)]
    every = [str(each.pk) for each in sorted(stored, key=lambda each: each.pk, reverse=True)]
    first = read(stock, key, f"{ALL_TIMES}&page_size=3")
    assert (ids(first), first["previous"], first["page_size"]) == (every[:3], None, 3)
    rows.decision(AT + timedelta(seconds=1))
    second = read(stock, key, first["next"])
    third = read(stock, key, second["next"])
    assert (ids(second), ids(third), third["next"]) == (every[3:6], every[6:], None)
    assert ids(read(stock, key, third["previous"])) == every[3:6]
    back = read(stock, key, second["previous"])
    assert ids(back) == every[:3]
    assert len(ids(read(stock, key, back["previous"]))) == 1


def test_an_item__is_the_decision_as_it_is_read_alone(stock: Stock, key: str) -> None:
    row = store_one()
    alone = json.loads(stock.get(f"{LIST}/{row.pk}", key).content)
    assert read(stock, key, f"{ALL_TIMES}&include=attempts")["results"] == [alone]
    del alone["attempts"]
    assert read(stock, key, ALL_TIMES)["results"] == [alone]


def test_a_page__takes_as_many_statements_as_any_other(stock: Stock, key: str) -> None:
    for number in range(7):
        store_one(request_id=f"r{number}")
    for query, expected in (("", 2), ("&include=attempts", 3), ("&result=ok_after_fallback", 2), ("&format=csv", 2)):
        columns_of("rpt_decisions_v1")
        with CaptureQueriesContext(connection) as made:
            assert stock.get(f"{LIST}?{ALL_TIMES}{query}", key).status_code == 200
        assert len([each for each in made if "iwrouting_" in each["sql"] or "rpt_" in each["sql"]]) == expected, query


NAMED: dict[str, Any] = {
    "project_external_id": "x-1",
    "key_id": "0f3a9c1d2e",
    "request_id": "req-9",
    "run_id": "run-9",
    "alias": "fast",
    "kind": "chat_mode",
    "inferred_mode": "deep",
    "endpoint": "responses",
    "source": "override",
    "model_asked": "quick",
    "model_resolved": "gpt-5.1",
    "upstream": "other",
    "revision": 12,
    "environment_id": "e9",
    "catalogue_version": "c9",
    "rules_version": "r9",
    "app_version": "a9",
    "is_test": True,
    "is_stream": True,
}
ENDED: dict[str, Any] = {
    "model_served": "gpt-5.1",
    "upstream_served": "other",
    "result": "error",
    "status": 502,
    "error_code": "upstream_error",
    "error_type": "upstream_error",
    "finish_reason": "length",
    "cost_state": "estimated",
    "tokens_source": "bytes",
}
RANGES = {
    "created_at": (AT.isoformat(), (AT - timedelta(seconds=1)).isoformat()),
    "revision": ("12", "11"),
    "latency_ms": ("900", "899"),
    "first_byte_ms": ("900", "899"),
    "cost_pico": ("900", "899"),
    "prompt_tokens": ("900", "899"),
    "completion_tokens": ("900", "899"),
    "calls": ("9", "8"),
    "fallbacks": ("9", "8"),
}


def stored_pair() -> tuple[str, str]:
    """A decision that every filter names, and an older one that none names."""
    sums: dict[str, Any] = {
        "cost_pico": 900,
        "prompt_tokens": 900,
        "completion_tokens": 900,
        "calls": 9,
        "fallbacks": 9,
    }
    named = rows.decision(AT, **NAMED, tags='["night.ly","b"]')
    rows.outcome(named, **ENDED, **sums, latency_us=900_000, first_byte_us=900_000)
    other = rows.decision(AT - timedelta(seconds=2), tags='["NIGHT.LY","night.ly2"]')
    few: dict[str, Any] = dict.fromkeys(sums, 1)
    rows.outcome(other, "ok", **few, latency_us=899_999, first_byte_us=899_999, status=200, origin="sweeper")
    return str(named.pk), str(other.pk)


def test_each_filter__finds_what_it_names_and_no_other(stock: Stock, key: str) -> None:
    named, other = stored_pair()
    said = {**NAMED, **ENDED, "tag": "night.ly", "origin": "server"}
    queries = {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in said.items()}
    queries |= {f"{name}__gte": since for name, (since, _) in RANGES.items()}
    for name, value in queries.items():
        query = f"{name}={quote(value)}" if name == "created_at__gte" else f"{ALL_TIMES}&{name}={quote(value)}"
        assert ids(read(stock, key, query)) == [named], name
    for name, (until, _) in RANGES.items():
        query = f"{ALL_TIMES}&{name}__lt={quote(until)}"
        assert ids(read(stock, key, query)) == [other], name
    tried = {*queries, *(f"{name}__lt" for name in RANGES), "project"}
    assert tried == set(FILTERS)
    assert ids(read(stock, key, f"{ALL_TIMES}&project=atlas")) == [named, other]
    assert refused(stock.get(f"{LIST}?{ALL_TIMES}&project=Atlas", key)) == (403, "project_not_granted", "project")
    assert ids(read(stock, key, f"{ALL_TIMES}&alias=fast&result=ok")) == []


def test_a_result__is_that_of_the_outcome_that_counts(stock: Stock, key: str) -> None:
    both, swept, under_way = (rows.decision(AT + timedelta(seconds=number)) for number in range(3))
    rows.outcome(both, "interrupted", origin="sweeper")
    rows.outcome(both, "ok")
    rows.outcome(swept, "interrupted", origin="sweeper")
    for result, expected in (("ok", both), ("interrupted", swept), ("open", under_way)):
        assert ids(read(stock, key, f"{ALL_TIMES}&result={result}")) == [str(expected.pk)]
    assert ids(read(stock, key, f"{ALL_TIMES}&result=open&status=200")) == []


def test_without_a_time__the_last_day_is_looked_at_and_the_answer_says_so(stock: Stock, key: str) -> None:
    now = datetime.now(UTC)
    young = [rows.decision(now - timedelta(minutes=each)) for each in (1, 2)]
    old = rows.decision(now - timedelta(hours=25), run_id="run-1", request_id="req-1")
    page = read(stock, key, "page_size=1")
    start = datetime.fromisoformat(page["window"]["start"])
    assert abs(now - timedelta(days=1) - start) < timedelta(minutes=1)
    assert (page["window"]["end"], ids(page)) == (None, [str(young[0].pk)])
    second = read(stock, key, page["next"])
    assert (second["window"], ids(second), second["next"]) == (page["window"], [str(young[1].pk)], None)
    for query in ("run_id=run-1", "request_id=req-1"):
        page = read(stock, key, query)
        assert (page["window"], ids(page)) == ({"start": None, "end": None}, [str(old.pk)])
    before = quote((now - timedelta(hours=24)).isoformat())
    assert ids(read(stock, key, f"created_at__lt={before}")) == [str(old.pk)]
    assert read(stock, key, "created_at__lt=1970-01-01T00:00:00Z")["results"] == []


def test_a_key__reads_the_decisions_of_its_own_projects(stock: Stock, key: str) -> None:
    stock.project("maps", external_id="ws-7")
    mine, hidden = rows.decision(AT), rows.decision(AT - timedelta(seconds=1), project="maps")
    unknown = rows.decision(AT - timedelta(seconds=2), project="who")
    assert ids(read(stock, key, ALL_TIMES)) == [str(mine.pk)]
    for hid in ("maps", "ws-7", "who", ""):
        assert refused(stock.get(f"{LIST}?{ALL_TIMES}&project={hid}", key)) == (403, "project_not_granted", "project")
    two = stock.key("read_audit", projects=["maps"])
    assert ids(read(stock, two, f"{ALL_TIMES}&project=ws-7")) == [str(hidden.pk)]
    assert ids(read(stock, two, ALL_TIMES)) == [str(mine.pk), str(hidden.pk)]
    every = stock.key("read_audit", projects=["*"])
    assert ids(read(stock, every, f"{ALL_TIMES}&project=who")) == [str(unknown.pk)]
    assert refused(stock.get(LIST, stock.key("manage"))) == (403, "missing_scope", None)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("who=me", "who"),
        ("page=2", "page"),
        ("project__in=a", "project__in"),
        ("latency_us__gte=1", "latency_us__gte"),
        ("cursor=abc", "cursor"),
        ("cursor=b2xkZXJ8MjAyNi0xMS0yMlQwMDowMDowMCswMDowMHwx", "cursor"),
        ("page_size=201", "page_size"),
        ("count=exact", "count"),
        ("include=outcome", "include"),
        ("format=xml", "format"),
        ("created_at__gte=2026-11-01", "created_at__gte"),
        ("created_at__lt=0001-01-01T00:00:00%2B01:00", "created_at__lt"),
        ("created_at__gte=2026-11-02T00:00:00Z&created_at__lt=2026-11-02T00:00:00Z", "created_at__lt"),
        ("result=fine", "result"),
        ("kind=mode", "kind"),
        ("is_test=1", "is_test"),
        ("tag=a%22b", "tag"),
        ("alias=a%00", "alias"),
        ("revision=-1", "revision"),
        ("latency_ms__gte=1.5", "latency_ms__gte"),
        ("latency_ms__gte=9223372036854775807", "latency_ms__gte"),
    ],
)
def test_a_parameter__that_is_none__is_refused_by_its_name(stock: Stock, key: str, query: str, param: str) -> None:
    answer = stock.get(f"{LIST}?{query}", key)
    assert refused(answer) == (400, "invalid_request", param)
    assert error_of(answer)["message"].startswith(param)


def test_lines__are_the_items_and_the_neighbours_stand_in_a_header(stock: Stock, key: str) -> None:
    for number in range(3):
        store_one(request_id=f"r{number}")
    page = read(stock, key, f"{ALL_TIMES}&page_size=2")
    answer = stock.get(f"{LIST}?{ALL_TIMES}&page_size=2", key, accept="application/x-ndjson")
    assert answer["content-type"].partition(";")[0] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.content.splitlines()] == page["results"]
    following = answer["link"].partition(">")[0].removeprefix("<")
    assert answer["link"] == f'<{following}>; rel="next"'
    last = stock.get(following, key, accept="application/x-ndjson")
    assert (len(last.content.splitlines()), last["link"].rpartition("; ")[2]) == (1, 'rel="previous"')
    empty = stock.get(f"{LIST}?format=jsonl&run_id=none", key)
    assert (empty.status_code, empty.content, "link" in empty) == (200, b"", False)
    assert empty["content-type"] == answer["content-type"]


def test_a_sheet__has_the_views_columns_and_no_formula(stock: Stock, key: str) -> None:
    store_one(model_asked="=HYPERLINK(1)", request_id="+1", is_test=True)
    rows.decision(AT - timedelta(seconds=1))
    answer = stock.get(f"{LIST}?{ALL_TIMES}&format=csv", key)
    assert answer["content-type"].partition(";")[0] == "text/csv"
    first, second = csv.DictReader(io.StringIO(answer.content.decode()))
    assert tuple(first) == columns_of("rpt_decisions_v1")
    assert "decision_key" not in first
    assert (first["model_asked"], first["request_id"]) == ("'=HYPERLINK(1)", "'+1")
    assert (first["created_at"], first["is_test"], first["latency_ms"]) == ("2026-11-22T20:00:00.123Z", "true", "812")
    assert (first["cost_pico"], first["cost_usd"]) == ("4200000001", "0.004200000001")
    assert (second["result"], second["cost_usd"], second["is_test"]) == ("", "", "false")


def test_an_estimate__is_exact_as_far_as_it_counts(stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(21):
        rows.decision(AT + timedelta(seconds=number))
    page = read(stock, key, f"{ALL_TIMES}&page_size=2&count=estimate")
    assert (page["count"], page["count_is_exact"]) == (21, True)
    assert "count" not in page["next"]
    monkeypatch.setattr(cursors, "MOST_COUNTED", 5)
    page = read(stock, key, f"{ALL_TIMES}&page_size=2&count=estimate")
    assert (page["count"], page["count_is_exact"]) == (20, False)
    assert "count" not in read(stock, key, ALL_TIMES)


def test_a_page_that_takes_too_long__says_how_to_ask_for_less(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e9) SELECT MAX(i) FROM n"
            )

    monkeypatch.setattr(pages, "PATIENCE_S", 0.05)
    monkeypatch.setattr(cursors, "cursor_page", endless)
    answer = stock.get(LIST, key)
    assert refused(answer) == (400, "takes_too_long", None)
    assert "created_at__gte" in error_of(answer)["message"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
@pytest.mark.parametrize("name", ["", "alias", "outcomes__result", "open"])
def test_a_time__leaves_other_months_unread(db: None, name: str) -> None:
    lookups = {"outcomes__result": "open"} if name == "open" else {name: "fast"} if name else {}
    start = datetime(2026, 12, 3, tzinfo=UTC)
    asked = Asked(start, start + timedelta(days=2), None, lookups)
    plan = asked.rows().order_by(*cursors.BY_DECISION.way(up=False))[:51].explain()
    assert "iwrouting_decision_y2026m12" in plan
    assert ("iwrouting_outcome_y2026m12" in plan) == ("outcomes__result" in lookups)
    assert "y2026m11" not in plan
    assert "default" not in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan is PostgreSQL's")
@pytest.mark.parametrize("column", ["outcomes__result", "outcomes__latency_us__gte"])
def test_outcomes__are_read_in_the_order_of_time_and_no_further_than_a_page(db: None, column: str) -> None:
    # Enough rows that PostgreSQL would rather read and sort all of them.
    for number in range(300):
        rows.outcome(rows.decision(AT + timedelta(seconds=number)), "ok", latency_us=number)
    asked = Asked(AT, AT + timedelta(days=3), None, {column: "ok" if column.endswith("result") else 1})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE iwrouting_decision, iwrouting_outcome")
    found = asked.rows().order_by("-decision_at", "-pk")[:51]
    assert "Hash Join" in found.explain() or "Merge Join" in found.explain()
    with cursor_for(9, asked.hints):
        plan = found.explain(analyze=True)
    assert "Incremental Sort" in plan
    assert "Hash" not in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan is PostgreSQL's")
def test_open_decisions__are_found_by_the_indexes_of_the_ids_alone(db: None) -> None:
    for number in range(300):
        rows.outcome(rows.decision(AT + timedelta(seconds=number)), "ok")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE iwrouting_decision, iwrouting_outcome")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    asked = Asked(AT, AT + timedelta(days=1), None, {"outcomes__result": "open"})
    plan = asked.rows().values("pk").explain()
    assert "(id >= " in plan
    assert "(decision_id >= " in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan is PostgreSQL's")
def test_a_deep_page__begins_at_its_place_in_the_index(db: None) -> None:
    cursor = cursors.Cursor(cursors.OLDER, AT, rows.uuid7(AT))
    found = Asked(AT - timedelta(days=9), None).rows().filter(cursor.beyond(cursors.BY_DECISION))
    with connection.cursor() as database:
        database.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    plan = found.order_by("-decision_at", "-pk")[:51].explain()
    assert "decision_at <= " in next(line for line in plan.splitlines() if "Index Cond" in line)


def test_an_empty_list__is_an_empty_page(stock: Stock, key: str) -> None:
    assert Decision.objects.count() == 0
    page = read(stock, key, "")
    assert (page["results"], page["next"], page["previous"]) == ([], None, None)
