"""Plans: which request gets which fault, in which order, how often; and what a wrong plan is told."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.sandbox.presets import PRESETS
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

DOWN = {"status": 503}


def statuses(sandbox: SandboxProcess, count: int, **headers: str) -> list[int]:
    data = raw.request_bytes(raw.CHAT, raw.hello(), **headers)
    return [raw.send(sandbox.base_url, data).status for _ in range(count)]


def ask(sandbox: SandboxProcess, model: str, path: str = raw.CHAT, **body: Any) -> int:
    given = {"input": "hi"} if path != raw.CHAT else {"messages": [{"role": "user", "content": "hi"}]}
    return raw.post(sandbox.base_url, path, {"model": model, **given, **body}).status


def test_times_and_after(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": DOWN, "after": 1, "times": 2}])
    assert statuses(sandbox, 5) == [200, 503, 503, 200, 200]
    assert [(rule["matched"], rule["applied"]) for rule in sandbox.counters()] == [(5, 2)]


def test_without_times_it_always_applies_and_a_new_plan_counts_anew(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": DOWN}])
    assert statuses(sandbox, 3) == [503, 503, 503]
    sandbox.plan([{"fault": DOWN, "times": 1}])
    assert statuses(sandbox, 2) == [503, 200]
    sandbox.clear()
    assert statuses(sandbox, 1) == [200]
    assert sandbox.counters() == []


def test_a_sequence_goes_through_its_faults_once_or_round_and_round(sandbox: SandboxProcess) -> None:
    sequence = ["rate_limit", None, {"status": 500}]
    sandbox.plan([{"sequence": sequence}])
    assert statuses(sandbox, 5) == [429, 200, 500, 200, 200]
    sandbox.plan([{"sequence": sequence, "cycle": True}])
    assert statuses(sandbox, 6) == [429, 200, 500, 429, 200, 500]
    sandbox.plan([{"sequence": sequence, "cycle": True, "times": 4}])
    assert statuses(sandbox, 6) == [429, 200, 500, 429, 200, 200]


def test_the_first_rule_that_decides_wins_and_a_spent_one_passes_on(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"status": 500}, "times": 1}, {"fault": {"status": 502}, "times": 1}, {"fault": DOWN}])
    assert statuses(sandbox, 3) == [500, 502, 503]


def test_null_in_a_sequence_is_a_decision_too(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"sequence": [None]}, {"fault": DOWN}])
    assert statuses(sandbox, 2) == [200, 503]


@pytest.mark.parametrize(
    ("match", "hit", "miss"),
    [
        ({"model": "gpt-4.1"}, ("gpt-4.1", raw.CHAT), ("gpt-4.1-mini", raw.CHAT)),
        ({"model": ["gpt-5.1", "gpt-4.1"]}, ("gpt-5.1", raw.CHAT), ("gpt-5-mini", raw.CHAT)),
        ({"model": "gpt-4*"}, ("gpt-4.1-mini", raw.CHAT), ("gpt-5.1", raw.CHAT)),
        ({"endpoint": "responses"}, ("gpt-4.1", "/v1/responses"), ("gpt-4.1", raw.CHAT)),
        (
            {"endpoint": ["chat", "embeddings"]},
            ("text-embedding-3-small", "/v1/embeddings"),
            ("gpt-4.1", "/v1/responses"),
        ),
        ({"model": "gpt-4.1", "endpoint": "chat"}, ("gpt-4.1", raw.CHAT), ("gpt-4.1", "/v1/responses")),
    ],
)
def test_matching_by_model_and_endpoint(
    sandbox: SandboxProcess, match: dict[str, Any], hit: tuple[str, str], miss: tuple[str, str]
) -> None:
    sandbox.plan([{"match": match, "fault": DOWN}])
    assert ask(sandbox, *hit) == 503
    assert ask(sandbox, *miss) == 200


def test_matching_by_stream(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"stream": True}, "fault": DOWN}])
    assert ask(sandbox, "gpt-4.1", stream=True) == 503
    assert ask(sandbox, "gpt-4.1") == 200


def test_matching_by_headers(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"headers": {"X-IW-Hop": "1", "x-client-request-id": "*-2"}}, "fault": DOWN}])
    assert statuses(sandbox, 1, x_iw_hop="1", x_client_request_id="abc-2") == [503]
    assert statuses(sandbox, 1, x_iw_hop="1", x_client_request_id="abc-1") == [200]
    assert statuses(sandbox, 1, x_client_request_id="abc-2") == [200]


def test_the_models_endpoint_can_be_broken_too(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"endpoint": "models", "model": "gpt-5.1"}, "fault": DOWN}])
    assert raw.get(sandbox.base_url, "/v1/models/gpt-5.1").status == 503
    assert raw.get(sandbox.base_url, "/v1/models").status == 200


def test_what_is_refused_for_its_key_or_json_uses_up_no_rule(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": DOWN, "times": 1}])
    assert statuses(sandbox, 1, authorization="Bearer wrong") == [401]
    assert raw.post(sandbox.base_url, raw.CHAT, b"{").status == 400
    assert statuses(sandbox, 2) == [503, 200]


def test_a_fault_comes_before_the_checks_of_the_request(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": DOWN, "times": 1}])
    assert [ask(sandbox, "gpt-9"), ask(sandbox, "gpt-9")] == [503, 404]


def test_a_fault_that_only_delays_leaves_a_refusal_a_refusal(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"delay_ms": 50, "drop_usage": True}}])
    assert ask(sandbox, "gpt-9") == 404


def test_the_header_names_a_preset_or_holds_a_fault(sandbox: SandboxProcess) -> None:
    assert statuses(sandbox, 1, x_sandbox_fault="overloaded") == [503]
    assert statuses(sandbox, 1, x_sandbox_fault='{"status": 418}') == [418]
    assert sandbox.requests()[-1]["fault"] == "status 418"
    sandbox.plan([{"match": {"headers": {"x-sandbox-fault": "mine"}}, "fault": {"status": 409}}])
    assert statuses(sandbox, 1, x_sandbox_fault="mine") == [409]


@pytest.mark.parametrize("header", ["overload", '{"statsu": 1}', "{"])
def test_a_wrong_header_is_told(sandbox: SandboxProcess, header: str) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, raw.hello(), x_sandbox_fault=header)
    assert (answer.status, answer.error["code"]) == (400, "invalid_plan")
    assert "x-sandbox-fault" in answer.error["message"]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_does_what_its_fields_say(sandbox: SandboxProcess, name: str) -> None:
    sandbox.plan([{"fault": name}])
    fault = PRESETS[name]
    answer = raw.post(sandbox.base_url, raw.CHAT, raw.hello(stream=True), wait_s=0.4)
    if "status" in fault:
        assert answer.status == fault["status"]
    elif "delay_ms" in fault or "no_answer" in fault:
        assert (answer.data, answer.ended) == (b"", "open")
    elif "reset" in fault:
        assert answer.ended == "reset"
    else:
        assert answer.status in (0, 200)
    assert sandbox.counters()[0]["applied"] == 1


WRONG: list[tuple[Any, str, str]] = [
    ([], "plan", "expected an object, got an array"),
    ({}, "plan.rules", "missing"),
    ({"rules": {}}, "plan.rules", "expected an array"),
    ({"rule": []}, "plan.rule", "did you mean 'rules'"),
    ({"rules": [7]}, "rules[0]", "expected an object, got an integer"),
    ({"rules": [{}]}, "rules[0]", "either fault or sequence"),
    ({"rules": [{"fault": DOWN, "sequence": [DOWN]}]}, "rules[0]", "either fault or sequence"),
    ({"rules": [{"fault": DOWN, "time": 1}]}, "rules[0].time", "did you mean 'times'"),
    ({"rules": [{"fault": DOWN, "times": 0}]}, "rules[0].times", "expected 1 to"),
    ({"rules": [{"fault": DOWN, "after": "1"}]}, "rules[0].after", "expected an integer, got a string"),
    ({"rules": [{"fault": DOWN, "cycle": 1}]}, "rules[0].cycle", "expected a boolean"),
    ({"rules": [{"fault": "rate_limits"}]}, "rules[0].fault", "did you mean 'rate_limit'"),
    ({"rules": [{"fault": "zzzz"}]}, "rules[0].fault", "presets are"),
    ({"rules": [{"fault": {"statsu": 1}}]}, "rules[0].fault.statsu", "did you mean 'status'"),
    ({"rules": [{"fault": {"status": 99}}]}, "rules[0].fault.status", "expected 200 to 599, got 99"),
    ({"rules": [{"fault": {"no_answer": "yes"}}]}, "rules[0].fault.no_answer", "expected a boolean"),
    ({"rules": [{"fault": {"mode": "xml"}}]}, "rules[0].fault.mode", "expected one of 'json' and 'sse'"),
    ({"rules": [{"fault": {"headers": {"a": 1}}}]}, "rules[0].fault.headers.a", "expected a string"),
    ({"rules": [{"fault": {"headers": {"a": "b\r\nc: d"}}}]}, "rules[0].fault.headers.a", "no line end"),
    ({"rules": [{"fault": {"inject": [{"raw": "x"}]}}]}, "rules[0].fault.inject[0].after_events", "missing"),
    (
        {"rules": [{"fault": {"error_event_after_events": {"events": 1}}}]},
        "rules[0].fault.error_event_after_events.error",
        "missing",
    ),
    ({"rules": [{"sequence": []}]}, "rules[0].sequence", "empty"),
    ({"rules": [{"sequence": [None, "x"]}]}, "rules[0].sequence[1]", "no preset named 'x'"),
    ({"rules": [{"match": {"modle": "x"}, "fault": DOWN}]}, "rules[0].match.modle", "did you mean 'model'"),
    ({"rules": [{"match": {"endpoint": "chats"}, "fault": DOWN}]}, "rules[0].match.endpoint", "'embeddings'"),
    ({"rules": [{"match": {"headers": []}, "fault": DOWN}]}, "rules[0].match.headers", "expected an object"),
]


@pytest.mark.parametrize(("plan", "where", "problem"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_plan_names_the_member_and_the_former_stays(
    sandbox: SandboxProcess, plan: Any, where: str, problem: str
) -> None:
    sandbox.plan([{"fault": DOWN}])
    answer = raw.send(sandbox.base_url, raw.request_bytes("/_sandbox/plan", plan, "PUT"))
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, where, "invalid_plan")
    assert answer.error["message"].startswith(f"{where}: ")
    assert problem in answer.error["message"]
    assert statuses(sandbox, 1) == [503]


def test_a_plan_that_is_not_json_is_told(sandbox: SandboxProcess) -> None:
    answer = raw.send(sandbox.base_url, raw.request_bytes("/_sandbox/plan", b"{", "PUT"))
    assert (answer.status, answer.error["message"]) == (400, "plan: not JSON")


def test_an_unknown_control_names_those_that_there_are(sandbox: SandboxProcess) -> None:
    answer = raw.get(sandbox.base_url, "/_sandbox/plans")
    assert answer.status == 404
    assert "PUT /_sandbox/plan" in answer.error["message"]
    assert raw.get(sandbox.base_url, "/_sandbox/requests?since=x").error["param"] == "since"
