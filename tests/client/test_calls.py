"""Chat calls by role and by mode."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import assert_type

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from iwrouting import client
from tests.client.conftest import Face
from tests.client.service import Received, Reply, Service, error

HELLO = [{"role": "user", "content": "Hello"}]


def test_the_service_is_asked_for_the_alias_and_decides(service: Service, face: Face) -> None:
    answer = face.call_model_for_role("manager", HELLO)
    assert isinstance(answer, ChatCompletion)
    assert answer.choices[0].message.content == "role:manager answers"
    assert answer.model == "gpt-served"
    assert face.call_model_for_mode("auto", HELLO).choices[0].message.content == "mode:auto answers"
    assert [request.body["model"] for request in service.calls] == ["role:manager", "mode:auto"]
    assert service.resolves == []


def test_arguments_go_through_as_they_are(service: Service, face: Face) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    face.call_model_for_role("manager", HELLO, temperature=0.4, tools=tools, extra_body={"own": 1})
    body = service.calls[0].body
    assert body == {"model": "role:manager", "messages": HELLO, "temperature": 0.4, "tools": tools, "own": 1}


def test_the_callers_headers_are_kept_beside_ours(service: Service, face: Face) -> None:
    with client.routing_context(project="atlas"):
        face.call_model_for_role("manager", HELLO, extra_headers={"x-iw-trace": "1"})
    assert service.calls[0].headers["x-iw-trace"] == "1"
    assert service.calls[0].headers["x-iw-project"] == "atlas"


def test_the_model_is_not_the_callers_to_choose(service: Service, face: Face) -> None:
    with pytest.raises(TypeError, match="model"):
        face.call_model_for_role("manager", HELLO, model="gpt-4.1")
    assert service.received == []


def test_a_stream_is_the_sdks_stream(service: Service, face: Face) -> None:
    chunks = face.chunks("call_model_for_role", "manager", HELLO, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert service.calls[0].body["stream"] is True


def test_a_stream_can_be_left_early(service: Service) -> None:
    with assert_type(
        client.call_model_for_mode("fast", HELLO, stream=True), openai.Stream[ChatCompletionChunk]
    ) as stream:
        assert next(iter(stream)).choices[0].delta.content == "one "
    assert assert_type(client.call_model_for_mode("fast", HELLO), ChatCompletion).choices[0].finish_reason == "stop"


def test_an_answer_can_be_found_again_in_the_audit(service: Service, face: Face) -> None:
    chat = service.reply

    def named(request: Received) -> Reply:
        return replace(chat(request), headers={"x-request-id": "r1", "x-iw-decision-id": "d1"})

    service.reply = named  # type: ignore[method-assign]
    assert face.call_model_for_role("manager", HELLO)._request_id == "r1"
    stream = client.call_model_for_role("manager", HELLO, stream=True)
    assert stream.response.headers["x-iw-decision-id"] == "d1"
    stream.close()


def test_an_error_in_a_stream_is_the_sdks(service: Service, face: Face) -> None:
    event = b'data: {"error": {"message": "cut", "type": "upstream_error", "param": null, "code": "stream_cut"}}\n\n'
    service.order(Reply(200, event, content_type="text/event-stream"))
    with pytest.raises(openai.APIError) as caught:
        face.chunks("call_model_for_role", "manager", HELLO, stream=True)
    assert caught.value.code == "stream_cut"


def test_an_unknown_role_is_the_services_to_judge(service: Service, face: Face) -> None:
    service.order(error(404, "model_not_found", "No alias 'manger' exists. Did you mean 'manager'?"))
    with pytest.raises(openai.NotFoundError, match="Did you mean 'manager'"):
        face.call_model_for_role("manger", HELLO)
    assert service.calls[0].body["model"] == "role:manger"


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_the_services_errors_are_the_sdks_and_not_repeated(service: Service, face: Face, status: int) -> None:
    service.order(error(status, "some_code", x_should_retry="false"))
    with pytest.raises(openai.APIStatusError) as caught:
        face.call_model_for_role("manager", HELLO)
    assert (caught.value.status_code, caught.value.code) == (status, "some_code")
    assert len(service.calls) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_exhausted_chain_is_not_an_unavailable_router(service: Service, face: Face, status: int) -> None:
    service.order(error(status, "all_candidates_failed", x_should_retry="false", x_iw_decision_id="d1"))
    with pytest.raises(openai.InternalServerError) as caught:
        face.call_model_for_role("manager", HELLO)
    assert caught.value.code == "all_candidates_failed"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(503, "not_ready", x_should_retry="false"), "answered 503 not_ready"),
        (Reply(502, b"Bad gateway", {"x-should-retry": "false"}, "text/html"), "answered 502"),
        (Reply(200, b"<p>Sign in", content_type="text/html"), "answered 200 with text/html"),
    ],
)
def test_no_decision_means_unavailable(service: Service, face: Face, reply: Reply, reason: str) -> None:
    service.order(reply)
    with pytest.raises(client.RouterUnavailable, match=reason):
        face.call_model_for_role("manager", HELLO)
    assert len(service.calls) == 1


def test_an_unreachable_service_is_named_with_its_cause_and_the_next_step(service: Service, face: Face) -> None:
    service.stop()
    with pytest.raises(client.RouterUnavailable) as caught:
        face.call_model_for_role("manager", HELLO)
    assert service.url in str(caught.value)
    assert "IW_BASE_URL" in str(caught.value)
    assert isinstance(caught.value, openai.APIConnectionError)
    assert isinstance(caught.value.__cause__, openai.APIConnectionError)


def test_a_call_that_takes_too_long_says_that_it_may_have_been_made(service: Service, face: Face) -> None:
    service.order(Reply(delay_s=1))
    with pytest.raises(client.RouterUnavailable, match="may have been made") as caught:
        face.call_model_for_role("manager", HELLO, timeout=0.1)
    assert isinstance(caught.value.__cause__, openai.APITimeoutError)
    assert len(service.calls) == 1


def test_a_connection_that_dies_is_tried_once_more(service: Service, face: Face) -> None:
    service.order(Reply(0))
    assert face.call_model_for_role("manager", HELLO).model == "gpt-served"
    assert len(service.calls) == 2


def test_a_cancelled_call_leaves_the_report_for_the_next(service: Service) -> None:
    async def scenario() -> None:
        service.order(Reply(0), Reply(delay_s=1))
        await client.aresolve("manager")
        task = asyncio.create_task(client.acall_model_for_role("manager", HELLO))
        await asyncio.to_thread(service.wait_for_calls, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aresolve("manager")
        await client.aclose()

    asyncio.run(scenario())
    assert (service.reports()[2] or "").startswith("1;since=")
