"""Three ledgers tell the same: what the callers got, what the provider received, what the audit holds (G1)."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from iwrouting.audit import decision_time
from iwrouting.reports.reconcile import ClientLine, Ledgers, Report, Span, Wanted, provider_lines, reconcile
from tests.live.databases import ALIAS
from tests.live.ledger import Record, eventually, records_of_run
from tests.live.live import Live, broke_off
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT, EMBEDDINGS, RESOLVE = "/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve"
CALLS = 150
AT_ONCE = 16
TROUBLE: list[dict[str, Any]] = [
    {
        "match": {"model": "gpt-5.1"},
        "sequence": [
            None,
            "server_error",
            None,
            "model_gone",
            None,
            "overloaded",
            "reset",
            None,
            "html",
            "content_policy",
        ],
        "cycle": True,
    },
    {"match": {"model": "gpt-4.1"}, "sequence": [None, None, None, "gateway_timeout", "conflict"], "cycle": True},
    {
        "match": {"model": "gpt-4.1-mini", "stream": True},
        "sequence": [None, "cut", None, "end_early", "late_error_event", None, "no_usage", "error_event"],
        "cycle": True,
    },
    {
        "match": {"endpoint": "embeddings"},
        "sequence": [None, None, None, None, "server_error", None, "quota"],
        "cycle": True,
    },
]


@dataclass(frozen=True)
class Got:
    """One answer as its caller has it."""

    kind: str
    ident: str
    answer: Raw


def requests(live: Live) -> list[tuple[str, str, Any, dict[str, str]]]:
    """A mixed load, the same each time: kind, path, body, headers."""
    dice = random.Random(7)  # noqa: S311 - a load, no secret
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "chat": (CHAT, lambda: hello(dice.choice(["manager", "fast", "auto", "code", "gpt-5.1"]))),
        "stream": (CHAT, lambda: hello(dice.choice(["manager", "fast", "deep"]), stream=True, n=dice.choice([1, 2]))),
        "vectors": (
            EMBEDDINGS,
            lambda: {"model": "embedding", "input": ["text"] * dice.choice([1, 3, 20]), "dimensions": 8},
        ),
        "resolve": (RESOLVE, lambda: {"alias": dice.choice(["manager", "embedding"])}),
        "unknown": (CHAT, lambda: hello("no-such-name")),
        "refused": (CHAT, lambda: {"model": "fast", "messages": []}),
        "denied": (CHAT, lambda: hello("fast")),
        "unparsed": (CHAT, lambda: b"{"),
    }
    found = []
    for kind in dice.choices(list(kinds), [30, 30, 15, 8, 5, 4, 4, 4], k=CALLS):
        path, body = kinds[kind]
        key = {"authorization": "Bearer iw_none"} if kind == "denied" else {}
        found.append((kind, path, body(), key))
    return found


def run(live: Live) -> list[Got]:
    """Send the load, sixteen at a time."""
    load = requests(live)
    key = live.home.key

    def one(number: int) -> Got:
        kind, path, body, headers = load[number]
        ident = f"{live.run}-{number}"
        given = {"authorization": f"Bearer {key}", "x-request-id": ident, "x-iw-run-id": live.run, **headers}
        return Got(kind, ident, raw.post(live.base_url, path, body, 20, **given))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(CALLS)))


@pytest.mark.usefixtures("own_home")
def test_mixed_load__stands_in_three_ledgers_alike(live: Live) -> None:
    live.sandbox.plan(TROUBLE)
    answers = run(live)
    records = {record.decision.request_id: record for record in live.records()}
    assert len(records) == len(live.records())
    with_rows = {got.ident for got in answers if got.kind not in ("denied", "unparsed")}
    assert set(records) == with_rows
    for got in answers:
        if got.ident in records:
            callers_word(got, records[got.ident])
    providers_word(live, list(records.values()))
    results = Counter(record.outcome.result for record in records.values())
    assert {"ok", "ok_after_fallback", "error", "refused", "truncated", "resolved"} <= set(results)
    audit = live.service.get("/readyz")[1]["audit"]
    assert (audit["queued"], audit["fault"]) == (0, "")
    reconciled = reconciler_word(live, answers)
    assert (reconciled.findings, reconciled.counts["unreached"]) == ([], len(answers) - len(records))
    assert set(reconciled.counts) <= {"unreached", "unseen", "unheard"}


def callers_word(got: Got, record: Record) -> None:
    """Caller and audit agree on one call."""
    outcome = record.outcome
    assert got.answer.headers["x-request-id"] == record.decision.request_id == got.ident
    assert got.answer.status == outcome.status
    assert got.answer.whole
    streamed = got.kind == "stream" and got.answer.status == 200
    assert (b"[DONE]" in got.answer.body) == (streamed and outcome.result in ("ok", "ok_after_fallback"))
    assert (b'"error"' in got.answer.body) == (outcome.result in ("error", "refused", "truncated"))
    assert outcome.calls == len(record.calls)
    if got.kind != "resolve":
        assert got.answer.headers["x-iw-decision-id"] == str(record.decision.id)


def providers_word(live: Live, records: list[Record]) -> None:
    """Provider and audit agree on all tries."""
    sent = live.sent()
    received = Counter(str(line["client_request_id"]) for line in sent)
    assert max(received.values()) == 1
    tries = {f"{record.decision.id}-{a.seq}": a for record in records for a in record.calls}
    assert set(received) <= set(tries)
    assert all(
        broke_off(tries[name]) or tries[name].error_code == "batch_failed" for name in set(tries) - set(received)
    )
    by_id = {str(line["client_request_id"]): line for line in sent}
    for name, line in by_id.items():
        if tries[name].status is not None:
            assert (tries[name].status, tries[name].upstream_request_id) == (line["status"], line["request_id"])


def reconciler_word(live: Live, answers: list[Got]) -> Report:
    """What the command that users have says of the same three ledgers."""
    client = [
        ClientLine(
            line, headers.get("x-iw-decision-id", ""), got.ident, got.answer.status, headers.get("x-iw-model", "")
        )
        for line, got in enumerate(answers, 1)
        for headers in [got.answer.headers]
    ]
    ledgers = Ledgers(client, provider_lines(live.sent()))
    return reconcile(ledgers, Wanted(Span(using=ALIAS), project=live.home.slug, grace_s=0))


def test_decision__is_durable_before_the_provider_is_asked(live: Live) -> None:
    live.sandbox.plan([{"fault": {"delay_ms": 600}}])
    headers = {"authorization": f"Bearer {live.home.key}"}
    for number in range(3):
        ident = f"{live.run}-{number}"
        given = {**headers, "x_iw_run_id": ident}
        thread = threading.Thread(target=live.post, args=(CHAT, hello("fast")), kwargs=given)
        thread.start()
        eventually(lambda: live.sandbox.state()["open_requests"] > 1, "the request at the provider")
        [record] = records_of_run(ident)
        assert (record.attempts, record.outcomes) == ([], [])
        thread.join()
        assert [each.outcome.result for each in records_of_run(ident)] == ["ok"]


def test_ids__rise_with_time_and_hold_it(live: Live) -> None:
    for number in range(12):
        live.post(CHAT, hello("fast"), x_request_id=f"{live.run}-{number}")
    decisions = [record.decision for record in live.records()]
    assert [decision.request_id for decision in decisions] == [f"{live.run}-{number}" for number in range(12)]
    sequence = [decision.writer_seq for decision in decisions]
    assert sequence == sorted(set(sequence))
    assert len({decision.writer_id for decision in decisions}) == 1
    for record in live.records():
        rows = [record.decision, *record.attempts, *record.outcomes]
        assert {row.decision_at for row in rows} == {decision_time(str(record.decision.id))}
        assert all(row.id.version == 7 for row in rows)


@pytest.mark.parametrize("name", ["a\0b", "\x01\x02", "nul \0 only", "q" * 256, "😀" * 200, "' OR 1=1 --", "{{7*7}}"])
def test_poison_in_a_name__is_stored_clean_and_its_neighbours_too(live: Live, name: str) -> None:
    load = [hello("fast"), hello(name), hello("fast")] * 4
    with ThreadPoolExecutor(12) as pool:
        key = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
        answers = list(pool.map(lambda body: raw.post(live.base_url, CHAT, body, 10, **key), load))
    assert Counter(got.status for got in answers) == {200: 8, 404: 4}
    records = live.records()
    assert Counter(record.outcome.result for record in records) == {"ok": 8, "refused": 4}
    asked = {record.decision.model_asked for record in records} - {"fast"}
    assert asked == {name.replace("\0", "").strip()}


def test_poison_of_the_provider__is_stored_clean(live: Live) -> None:
    error = {"message": "a\0b", "type": "t\0" + "y" * 300, "code": "c\0d", "param": "\ud800"}
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"status": 400, "body": {"error": error}}}])
    got = live.post(CHAT, hello("fast"))
    assert got.status == 400
    attempt = live.the_record().attempts[0]
    assert "\0" not in attempt.error_code + attempt.error_type + attempt.error_param
    assert len(attempt.error_type) <= 64
    assert live.chat("deep").record.outcome.result == "ok"
