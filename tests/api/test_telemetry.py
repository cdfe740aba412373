"""The telemetry is exactly what the audit's rows add up to, by window, by range and since a key's own reset."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iwrouting.api.management.telemetry import views
from iwrouting.meters.names import RULES
from iwrouting.models import Decision, Outcome, TelemetryMarker, UsageState
from iwrouting.reports.usage.rolling import roll
from iwrouting.snapshot.moments import moment_text
from tests.api.document import faults
from tests.api.stock import Stock, refused
from tests.audit_tables import rows
from tests.usage import plain, world

PATH = "/api/v1/telemetry"
RESET = f"{PATH}/reset"


@pytest.fixture
def key(stock: Stock) -> str:
    """One that reads all projects."""
    return stock.key("read_audit", projects=["*"])


def told(stock: Stock, key: str, method: str = "GET", path: str = PATH, **query: str) -> dict[str, Any]:
    """The body of an answer, which is as the document says."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = stock.ask(method, f"{path}?{asked}" if asked else path, key)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    assert faults(method, path, 200, found) == []
    return found


def stamp(at: datetime) -> str:
    """A time in a query, to the microsecond."""
    return at.isoformat().replace("+00:00", "Z")


def record(at: datetime, *, result: str = "ok", **values: Any) -> None:
    """One ended decision."""
    outcome = {name: values.pop(name) for name in ("fallbacks", "calls") if name in values}
    decision = Decision.objects.create(**rows.decision_values(at, **values))
    Outcome.objects.create(**rows.outcome_values(decision, result=result, **outcome))


def summed(calls: list[plain.Call], of: Callable[[plain.Call], bool]) -> dict[str, Any]:
    """What these add up to, as an answer has it."""
    found = plain.total(call.counts for call in calls if of(call))
    return {
        **{name: found[name] for name in ("calls", "resolves", "errors", "refused", "client_closed")},
        "fallback": {
            "attempts": found["calls_with_fallback"],
            "successes": found["served_by_fallback"],
            "rungs": found["fallbacks"],
        },
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_counts__equal_the_rows(stock: Stock, key: str, seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - to repeat, not to hide
    world.record(dice, 100)
    roll(lambda _line: None)
    world.record(dice, 50)
    for _ in range(4):
        start, end = sorted((world.moment(dice), world.moment(dice) + timedelta(days=1)))
        project = dice.choice((None, "atlas"))
        more = {} if project is None else {"project": project}
        found = told(stock, key, **{"from": stamp(start), "to": stamp(end)}, **more)
        calls = [
            call
            for call in plain.calls()
            if start <= call.at < end and not call.facts["is_test"] and project in (None, call.facts["project"])
        ]
        assert {name: found[name] for name in summed([], lambda _: True)} == summed(calls, lambda _: True)
        check_routes(found, calls)
        for each in found["aliases"]:
            alias = each.pop("alias") or ""
            assert each == summed(calls, lambda call, alias=alias: call.facts["alias"] == alias)  # type: ignore[misc]


def check_routes(found: dict[str, Any], calls: list[plain.Call]) -> None:
    """By mode and by rule."""
    for each in found["reasons"]:
        rule = each["inferred_mode"], each["rule"]
        total = summed(calls, lambda call, rule=rule: (call.facts["inferred_mode"], call.facts["rule"]) == rule)  # type: ignore[misc]
        assert (each["calls"], each["resolves"]) == (total["calls"], total["resolves"])
    for mode, routes in found["auto_routes"].items():
        total = summed(calls, lambda call, mode=mode: call.facts["inferred_mode"] == mode)  # type: ignore[misc]
        assert routes == total["calls"] + total["resolves"]
    rules = [(each["inferred_mode"], each["rule"]) for each in found["reasons"]]
    met = {(call.facts["inferred_mode"], call.facts["rule"]) for call in calls if call.facts["inferred_mode"]}
    assert rules[: len(RULES)] == list(RULES)
    assert set(rules) == met | set(RULES)


def test_nothing_counted__is_noughts_by_every_rule(stock: Stock, key: str) -> None:
    found = told(stock, key)
    assert found["auto_routes"] == {"code": 0, "research": 0, "fast": 0, "deep": 0}
    assert (found["window"], found["reset_at"], found["aliases"]) == ("24h", None, [])
    assert found["fallback"] == {"attempts": 0, "successes": 0, "rungs": 0}


@pytest.mark.parametrize(("window", "hours"), [("1h", 1), ("24h", 24), ("7d", 168), ("30d", 720)])
def test_a_window__reaches_back_so_far_and_to_a_whole_quarter(stock: Stock, key: str, window: str, hours: int) -> None:
    now = datetime.now(UTC)
    record(now - timedelta(hours=hours, minutes=-1))
    record(now - timedelta(hours=hours, minutes=16))
    found = told(stock, key, window=window)
    start, end = (datetime.fromisoformat(found[name]) for name in ("from", "to"))
    assert start.minute % 15 == start.second == start.microsecond == 0
    assert timedelta() <= end - start - timedelta(hours=hours) < timedelta(minutes=15)
    assert (found["window"], found["calls"]) == (window, 1)


def test_a_reset__begins_anew_for_its_own_key_and_deletes_nothing(stock: Stock, key: str) -> None:
    other = stock.key("read_audit", projects=["*"])
    record(datetime.now(UTC), alias="auto", inferred_mode="code", reason="code-heavy: 2 fenced blocks")
    before = told(stock, key, "POST", RESET)
    assert (before["calls"], before["auto_routes"]["code"], before["window"]) == (1, 1, "24h")
    assert before["reset_at"] == before["to"]
    after = told(stock, key)
    assert (after["calls"], after["auto_routes"]["code"], after["window"]) == (0, 0, "reset")
    assert after["from"] == after["reset_at"] == before["reset_at"]
    record(datetime.now(UTC), result="ok_after_fallback", fallbacks=2)
    again = told(stock, key, "POST", RESET)
    assert (again["calls"], again["fallback"]) == (1, {"attempts": 1, "successes": 1, "rungs": 2})
    assert again["from"] == before["to"]
    assert (told(stock, other)["calls"], told(stock, other)["window"]) == (2, "24h")
    assert told(stock, key, window="24h")["calls"] == 2
    assert TelemetryMarker.objects.count() == 1
    assert Decision.objects.count() == 2


def test_resets__lose_and_repeat_nothing_between_them(stock: Stock, key: str) -> None:
    counted = 0
    for number in range(5):
        for _ in range(number):
            record(datetime.now(UTC))
        counted += told(stock, key, "POST", RESET)["calls"]
    assert counted == 10


def test_a_reset_that_another_overtakes__counts_from_that_one(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(datetime.now(UTC))
    counted = views.counted
    first: list[dict[str, Any]] = []

    def overtaken(*given: Any) -> Any:
        answer = counted(*given)
        if not first:
            monkeypatch.setattr(views, "counted", counted)
            first.append(told(stock, key, "POST", RESET))
        return answer

    monkeypatch.setattr(views, "counted", overtaken)
    second = told(stock, key, "POST", RESET)
    assert first[0]["calls"] == 1
    assert (second["calls"], second["from"]) == (0, first[0]["reset_at"])


def test_get__writes_nothing(stock: Stock, key: str) -> None:
    told(stock, key, "POST", RESET)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        told(stock, key)
    assert not [each["sql"] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_a_key_for_some_projects__counts_theirs_alone(stock: Stock, key: str) -> None:
    now = datetime.now(UTC)
    for project in ("atlas", "other", ""):
        record(now, project=project, alias="manager")
    narrow = stock.key("read_audit", project="atlas")
    assert told(stock, narrow)["calls"] == 1
    assert refused(stock.get(f"{PATH}?project=other", narrow)) == (403, "project_not_granted", "project")
    assert told(stock, key)["calls"] == 3
    assert (told(stock, key, project="other")["calls"], told(stock, key, project="other")["project"]) == (1, "other")


def test_a_project__is_named_by_the_backends_own_id_too(stock: Stock) -> None:
    stock.project("maps", external_id="ws-7")
    record(datetime.now(UTC), project="maps", alias="manager")
    found = told(stock, stock.key("read_audit", project="maps"), project="ws-7")
    assert (found["calls"], found["project"]) == (1, "maps")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("window=2h", "window"),
        ("window=1h&from=2026-01-01T00:00:00Z", "window"),
        ("window=1h&to=2026-01-01T00:00:00Z", "window"),
        ("to=2026-01-01T00:00:00Z", "from"),
        ("from=2026-01-01", "from"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("from=2199-01-01T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z&to=9999-01-01T00:00:00Z", "from"),
        ("project=%00", "project"),
        ("reset=true", "reset"),
    ],
)
def test_what_is_not_possible__is_refused_by_name(stock: Stock, key: str, query: str, param: str) -> None:
    assert refused(stock.get(f"{PATH}?{query}", key)) == (400, "invalid_request", param)


def test_since_a_reset_that_never_was__says_what_to_do(stock: Stock, key: str) -> None:
    assert refused(stock.get(f"{PATH}?window=reset", key)) == (400, "never_reset", "window")
    assert refused(stock.ask("POST", RESET, key, {"at": 1})) == (400, "invalid_request", "at")


def test_a_range_that_cuts_a_quarter_whose_rows_are_gone__names_whole_ones(stock: Stock, key: str) -> None:
    UsageState.objects.update_or_create(id=1, defaults={"raw_from": datetime(2026, 6, 1, tzinfo=UTC)})
    answer = stock.get(f"{PATH}?from=2026-05-01T10:07:00Z&to=2026-05-02T00:00:00Z", key)
    assert refused(answer) == (400, "rows_removed", "from")
    text = json.loads(answer.content)["error"]["message"]
    assert moment_text(datetime(2026, 5, 1, 10, tzinfo=UTC)) in text
    assert moment_text(datetime(2026, 5, 1, 10, 15, tzinfo=UTC)) in text
    assert told(stock, key, **{"from": "2026-05-01T10:15:00Z", "to": "2026-05-02T00:00:00Z"})["calls"] == 0


def marked(stock: Stock, key: str, at: datetime) -> None:
    """Put the marker of this key to a time, as a reset at that time would have."""
    told(stock, key, "POST", RESET)
    TelemetryMarker.objects.update(at=at)


def test_a_marker_ahead_of_the_clock__counts_nothing_and_the_next_reset_mends_it(stock: Stock, key: str) -> None:
    marked(stock, key, datetime.now(UTC) + timedelta(hours=1))
    record(datetime.now(UTC))
    assert told(stock, key)["calls"] == 0
    mended = told(stock, key, "POST", RESET)
    assert (mended["calls"], mended["from"]) == (0, mended["to"])
    assert TelemetryMarker.objects.get().at <= datetime.now(UTC)


def test_a_marker_whose_rows_are_gone__counts_from_the_next_quarter_and_can_be_reset(stock: Stock, key: str) -> None:
    marked(stock, key, datetime(2026, 5, 1, 10, 7, tzinfo=UTC))
    UsageState.objects.update_or_create(id=1, defaults={"raw_from": datetime(2026, 6, 1, tzinfo=UTC)})
    record(datetime.now(UTC) - timedelta(seconds=1))
    for method, path in (("GET", PATH), ("POST", RESET)):
        found = told(stock, key, method, path)
        assert (found["from"], found["calls"]) == (moment_text(datetime(2026, 5, 1, 10, 15, tzinfo=UTC)), 1)
    assert told(stock, key)["calls"] == 0
