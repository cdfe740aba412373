"""What is tried again in another form: without a refused parameter, at the other endpoint, at a larger window."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError

from tests.live.databases import ALIAS
from tests.live.live import Live, text_of

FIRST, SECOND, THIRD = "gpt-5.1", "gpt-4.1", "gpt-4.1-mini"
"""The chain of the role `manager`: the first has a window of 272,000 tokens of input, the others of 1,047,576."""

BAD = "invalid_request_error"


def refusal(param: str, code: str | None = "unsupported_parameter", status: int = 400) -> dict[str, Any]:
    return {
        "status": status,
        "body": {"error": {"message": "No (sandbox).", "type": BAD, "param": param, "code": code}},
    }


@pytest.mark.parametrize("code", ["unsupported_parameter", "unsupported_value", None])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_refused_parameter__is_left_out_of_one_more_try(live: Live, streamed: bool, code: str | None) -> None:
    live.sandbox.plan([{"match": {"model": SECOND}, "fault": refusal("top_p", code), "times": 1}])
    ask = live.stream if streamed else live.chat
    called = ask("plan_tasks", top_p=0.5, temperature=1, client=live.client(live.tenant({"plan_tasks": SECOND})))
    record = called.record
    assert record.tried == [(1, "call", 0, 1, SECOND, 400, code or BAD), (2, "call", 0, 2, SECOND, 200, "")]
    assert called.headers["x-iw-changes"] == "dropped top_p (refused by the provider)"
    first, second = record.attempts
    assert (first.changes, second.changes) == ("[]", '["dropped top_p (refused by the provider)"]')
    assert (first.bytes_sent or 0) - (second.bytes_sent or 0) == len('"top_p":0.5,')
    live.agrees(record)


def test_stream_that_is_refused_to_our_organisation__is_asked_unstreamed_and_put_into_events(live: Live) -> None:
    fault = refusal("stream", "unsupported_value")
    live.sandbox.plan([{"match": {"model": SECOND, "stream": True}, "fault": fault}])
    called = live.stream("plan_tasks", client=live.client(live.tenant({"plan_tasks": SECOND})))
    assert called.record.tried == [
        (1, "call", 0, 1, SECOND, 400, "unsupported_value"),
        (2, "call", 0, 2, SECOND, 200, ""),
    ]
    assert text_of(called.answer).startswith(f"sandbox: {SECOND} heard")
    assert called.answer[-1].choices[0].finish_reason == "stop"
    assert called.headers["x-iw-changes"].startswith("asked unstreamed (refused by the provider)")
    assert called.record.served() == ("ok", SECOND, 200)
    assert None not in called.record.usage
    live.agrees(called.record)


def test_parameter_refused_again__next_rung_gets_the_original_request(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "sequence": [refusal("seed"), refusal("user")]}])
    called = live.chat("manager", seed=1, user="u")
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, 400, "unsupported_parameter"),
        (2, "call", 0, 2, FIRST, 400, "unsupported_parameter"),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    assert [attempt.error_param for attempt in called.record.attempts] == ["seed", "user", ""]
    assert "x-iw-changes" not in called.headers
    assert called.record.attempts[2].changes == "[]"
    live.agrees(called.record)


@pytest.mark.parametrize("param", ["tools", "messages", "n", "model"])
def test_refused_parameter_that_is_the_request_itself__goes_to_the_next_rung_unchanged(live: Live, param: str) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": refusal(param, "unsupported_value")}])
    called = live.chat("manager", n=1)
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, 400, "unsupported_value"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]


def test_refused_parameter__in_a_project_that_wants_none_changed__is_not_tried_without_it(live: Live) -> None:
    tenant = live.tenant()
    tenant.row.strict_parameters = True
    tenant.row.save(using=ALIAS)
    live.settle()
    live.sandbox.plan([{"match": {"model": SECOND}, "fault": refusal("seed")}])
    with pytest.raises(BadRequestError) as caught:
        live.chat(SECOND, seed=1, client=live.client(tenant))
    assert caught.value.param == "seed"
    assert live.the_record().tried == [(1, "call", 0, 1, SECOND, 400, "unsupported_parameter")]


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_model_that_chat_does_not_serve_after_all__is_asked_at_responses(live: Live, streamed: bool) -> None:
    refused = refusal("model", None, 404)
    live.sandbox.plan([{"match": {"model": FIRST, "endpoint": "chat"}, "fault": refused}])
    called = (live.stream if streamed else live.chat)("manager")
    assert called.record.tried == [(1, "call", 0, 1, FIRST, 404, BAD), (2, "call", 0, 2, FIRST, 200, "")]
    assert [attempt.endpoint for attempt in called.record.attempts] == ["chat", "responses"]
    assert called.record.outcome.endpoint_served == "responses"
    assert "translated chat to responses" in called.headers["x-iw-changes"]
    live.agrees(called.record)


OVERFLOW = {"message": "Too long (sandbox).", "type": BAD, "param": "messages", "code": "context_length_exceeded"}
FORMS: dict[str, tuple[Any, int]] = {
    "status": ("context_length", 400),
    "in a 200": ({"raw_body": '{"error": {"code": "context_length_exceeded", "message": "Too long"}}'}, 200),
    "in a stream": ({"error_event_after_events": {"events": 0, "error": OVERFLOW}}, 200),
}


@pytest.mark.parametrize("form", FORMS)
def test_request_too_long__goes_only_to_a_larger_window(live: Live, form: str) -> None:
    fault, status = FORMS[form]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = live.stream("manager") if form == "in a stream" else live.chat("manager")
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, status, "context_length_exceeded"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]
    live.agrees(called.record)


def test_request_too_long_for_the_largest_window__is_refused_and_the_rest_passed_over(live: Live) -> None:
    live.sandbox.plan([{"fault": "context_length"}])
    with pytest.raises(BadRequestError) as caught:
        live.chat("manager")
    assert (caught.value.code, caught.value.response.headers["x-should-retry"]) == ("context_length_exceeded", "false")
    record = live.the_record()
    assert record.tried == [
        (1, "call", 0, 1, FIRST, 400, "context_length_exceeded"),
        (2, "call", 1, 1, SECOND, 400, "context_length_exceeded"),
        (3, "skip", 2, 0, THIRD, None, "window"),
    ]
    assert record.served() == ("error", "", 400)
    live.agrees(record)


def test_request_too_long_for_a_model_of_unknown_window__is_refused(live: Live) -> None:
    live.sandbox.plan([{"fault": "context_length"}])
    with pytest.raises(BadRequestError):
        live.chat("manager", client=live.client(live.tenant({"manager": "gpt-9-unheard-of"})))
    assert [each[-1] for each in live.the_record().tried] == ["context_length_exceeded", "window", "window"]
