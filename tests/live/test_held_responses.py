"""Responses that the provider keeps: fetched, cancelled, deleted, gone on from: where they are held, by their own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction
from openai import APIError, BadRequestError, NotFoundError, OpenAI

from iwrouting.models import HeldResponse, Outcome
from tests.live.databases import ALIAS, IS_POSTGRESQL, statement
from tests.live.ledger import Record, eventually, plain_id
from tests.live.live import Live
from tests.live.reading import created, events_of, streamed
from tests.sandbox import raw

NATIVE, RESEARCH, SECOND = "gpt-4.1", "o3-deep-research", "gpt-4.1-mini"
SEARCH = [{"type": "web_search_preview"}]
DONE_AT_SECOND_LOOK = {"match": {"model": RESEARCH}, "fault": {"background_polls": 1}}


def background(live: Live, **more: Any) -> Any:
    """One response in the background that is done at the second look."""
    live.sandbox.plan([DONE_AT_SECOND_LOOK])
    return created(live, "research_deep", background=True, tools=SEARCH, **more)


def of_endpoint(live: Live, endpoint: str) -> list[Record]:
    """What the audit holds of this run at one endpoint, once it has its outcomes."""

    def ended() -> list[Record]:
        found = [each for each in live.records() if each.decision.endpoint == endpoint]
        return found if found and all(each.outcomes for each in found) else []

    return eventually(ended, endpoint)


def rows_of(response_id: str) -> list[HeldResponse]:
    return list(HeldResponse.objects.using(ALIAS).filter(response_id=response_id))


def test_background__is_accepted_fetched_and_its_usage_recorded_once(live: Live) -> None:
    client = live.client()
    called = background(live)
    response_id = called.answer.id
    assert called.answer.status == "queued"
    accepted = called.record
    assert accepted.served() == ("ok", RESEARCH, 200)
    assert (accepted.outcome.cost_state, accepted.outcome.cost_pico, accepted.usage) == ("unpriced", None, (None, None))
    states = [client.responses.retrieve(response_id).status for _ in range(4)]
    assert states == ["in_progress", "completed", "completed", "completed"]
    looks = of_endpoint(live, "responses.get")
    assert len(looks) == 4
    for look in looks:
        assert look.served() == ("ok", RESEARCH, 200)
        assert (look.outcome.cost_state, look.usage) == ("none", (None, None))
        assert look.decision.reason == f"response {response_id} of decision {accepted.decision.id}"
    [usage] = of_endpoint(live, "responses.usage")
    told = client.responses.retrieve(response_id).usage
    assert told is not None
    assert usage.usage == (told.input_tokens, told.output_tokens)
    assert (usage.decision.alias, usage.decision.run_id) == ("research_deep", live.run)
    assert usage.decision.reason == f"usage of decision {accepted.decision.id}"
    assert usage.decision.decision_at == accepted.decision.decision_at
    assert (usage.outcome.result, usage.outcome.finish_reason, usage.outcome.calls) == ("ok", "stop", 0)
    assert json.loads(usage.outcome.usage)["hosted_calls"] == 1
    assert usage.attempts == []


def test_background__is_known_to_every_worker_and_its_usage_recorded_once_by_all(live: Live) -> None:
    called = background(live)
    other = live.world.other_service("second")
    with OpenAI(base_url=f"{other.url}/v1", api_key=live.home.key, max_retries=0) as client:
        live.introduce(live.home.key, other.url)
        found = client.responses.with_raw_response.retrieve(called.answer.id, extra_headers={"x-iw-run-id": live.run})
        assert found.headers["x-iw-model"] == RESEARCH
    headers = {"authorization": f"Bearer {live.home.key}", "x_iw_run_id": live.run, "host": "127.0.0.1"}
    urls = [live.base_url, f"{other.url}/v1"] * 6
    with ThreadPoolExecutor(len(urls)) as pool:
        looks = [pool.submit(raw.get, url, f"/v1/responses/{called.answer.id}", **headers) for url in urls]
        assert {look.result().status for look in looks} == {200}
    assert len(of_endpoint(live, "responses.get")) == 1 + len(urls)
    assert len(of_endpoint(live, "responses.usage")) == 1


def test_background__that_is_fetched_as_a_stream_has_its_usage_recorded_too(live: Live) -> None:
    called = background(live)
    for _ in range(2):
        last: Any = list(live.client().responses.retrieve(called.answer.id, stream=True))[-1]
    ended = last.response
    [usage] = of_endpoint(live, "responses.usage")
    assert ended.usage is not None
    assert usage.usage == (ended.usage.input_tokens, ended.usage.output_tokens)
    assert {look.usage for look in of_endpoint(live, "responses.get")} == {(None, None)}


def test_background__can_be_cancelled(live: Live) -> None:
    called = background(live)
    assert live.client().responses.cancel(called.answer.id).status == "cancelled"
    assert live.client().responses.retrieve(called.answer.id).status == "cancelled"
    [cancelled] = of_endpoint(live, "responses.cancel")
    assert cancelled.served() == ("ok", RESEARCH, 200)
    line = live.sent()[1]
    assert (line["path"], line["method"]) == (f"/v1/responses/{called.answer.id}/cancel", "POST")
    assert line["client_request_id"] == f"{cancelled.decision.id}-1"


def test_background_that_fails__is_fetched_as_failed(live: Live) -> None:
    failed = {"background_polls": 0, "failed": {"code": "server_error", "message": "No (sandbox)."}}
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": failed}])
    called = created(live, NATIVE, background=True)
    found = live.client().responses.retrieve(called.answer.id)
    assert (found.status, found.error and found.error.code) == ("failed", "server_error")
    [look] = of_endpoint(live, "responses.get")
    assert look.served() == ("ok", NATIVE, 200)


def test_streamed_background__goes_on_where_it_broke_off(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"background_ms": 0}}])
    events = streamed(live, NATIVE, background=True).answer
    response_id = events[-1].response.id
    assert events[-1].type == "response.completed"
    rest = list(live.client().responses.retrieve(response_id, stream=True, starting_after=3))
    assert [event.sequence_number for event in rest] == [event.sequence_number for event in events[4:]]
    assert live.client().responses.retrieve(response_id).status == "completed"
    looks = of_endpoint(live, "responses.get")
    assert [(look.decision.is_stream, look.usage) for look in looks] == [(True, (None, None)), (False, (None, None))]
    assert [each for each in live.records() if each.decision.endpoint == "responses.usage"] == []


def test_streamed_background__is_held_before_its_first_event(live: Live) -> None:
    create: Any = live.client().responses.create
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"stall_after_events": 2}}])
    with create(model=NATIVE, input="Say hello", background=True, stream=True) as opened:
        first = next(iter(opened))
        [row] = rows_of(first.response.id)
        assert (row.is_background, row.upstream, row.model) == (True, "sandbox", NATIVE)
        assert live.client().responses.retrieve(first.response.id).id == first.response.id
    [made] = of_endpoint(live, "responses")
    assert (made.outcome.result, made.usage, made.outcome.cost_state) == ("client_closed", (None, None), "unpriced")
    assert len(rows_of(first.response.id)) == 1


@pytest.mark.parametrize("kept", [True, False, None])
def test_foreground__is_held_where_the_provider_keeps_it(live: Live, kept: bool | None) -> None:
    given: dict[str, Any] = {} if kept is None else {"store": kept}
    called = created(live, NATIVE, **given)
    rows = rows_of(called.answer.id)
    if kept is False:
        assert rows == []
        return
    [row] = rows
    assert plain_id(row.decision_id) == plain_id(called.record.decision.id)
    assert (row.project, row.upstream, row.is_background) == (live.home.slug, "sandbox", False)
    found = live.client().responses.retrieve(called.answer.id)
    assert found.output_text == called.answer.output_text
    items = live.client().responses.input_items.list(called.answer.id).data
    assert [item.type for item in items] == ["message"]
    assert [each for each in live.records() if each.decision.endpoint == "responses.usage"] == []


def test_streamed_foreground__is_held_too(live: Live) -> None:
    ended = streamed(live, NATIVE).answer[-1].response
    assert live.client().responses.retrieve(ended.id).output_text == ended.output_text


def test_kept_chat_at_a_responses_model__can_be_fetched_by_its_header(live: Live) -> None:
    called = live.chat("code", store=True)
    found = live.client().responses.retrieve(called.headers["x-iw-response-id"])
    assert found.output_text == called.answer.choices[0].message.content
    unkept = live.chat("code")
    with pytest.raises(NotFoundError):
        live.client().responses.retrieve(unkept.headers["x-iw-response-id"])


def test_deleted__is_gone(live: Live) -> None:
    called = created(live, NATIVE)
    live.client().responses.delete(called.answer.id)
    with pytest.raises(NotFoundError) as caught:
        live.client().responses.retrieve(called.answer.id)
    assert called.answer.id in caught.value.message
    [deleted] = of_endpoint(live, "responses.delete")
    assert deleted.served() == ("ok", NATIVE, 200)


def test_cancelling_what_is_in_the_foreground__is_the_providers_400(live: Live) -> None:
    called = created(live, NATIVE)
    with pytest.raises(BadRequestError) as caught:
        live.client().responses.cancel(called.answer.id)
    assert "synchronous" in caught.value.message
    [refused] = of_endpoint(live, "responses.cancel")
    assert refused.served() == ("error", "", 400)
    assert refused.outcome.cost_state == "none"


@pytest.mark.parametrize("what", ["retrieve", "cancel", "delete", "input_items"])
def test_another_projects_response__does_not_exist(live: Live, what: str) -> None:
    called = created(live, NATIVE)
    sent = len(live.sent())
    strange = live.client(live.tenant()).responses
    act = strange.input_items.list if what == "input_items" else getattr(strange, what)
    with pytest.raises(NotFoundError) as caught:
        act(called.answer.id)
    with pytest.raises(NotFoundError) as unknown:
        act("resp_nobody")
    assert caught.value.code == unknown.value.code == "not_found"
    assert caught.value.message.replace(called.answer.id, "resp_nobody") == unknown.value.message
    assert len(live.sent()) == sent


def test_key_without_the_model__does_not_see_the_response(live: Live) -> None:
    called = created(live, NATIVE)
    narrow = live.sdk.with_options(
        base_url=live.base_url, api_key=live.key(live.home.row, allowed_models=[SECOND]), max_retries=0
    )
    with pytest.raises(NotFoundError):
        narrow.responses.retrieve(called.answer.id)


@pytest.mark.parametrize("given", ["..", "a%2Fb", "resp_%0d%0a", "x" * 300])
def test_id_that_is_none__is_a_recorded_404(live: Live, given: str) -> None:
    got = live.get(f"/v1/responses/{given}")
    assert got.status == 404
    assert given.encode() not in b"".join(json.dumps(record.decision.reason).encode() for record in live.records())
    assert live.sent() == []


def test_key_without_the_scope__may_not_fetch(live: Live) -> None:
    got = live.get("/v1/responses/resp_1", authorization=f"Bearer {live.key(live.home.row, scopes=['resolve'])}")
    assert (got.status, got.json["error"]["code"]) == (403, "missing_scope")


def test_stream_about_a_response__that_breaks_is_an_error(live: Live) -> None:
    ended = streamed(live, NATIVE).answer[-1].response
    live.sandbox.plan([{"match": {"endpoint": "responses"}, "fault": {"cut_after_events": 6, "clean_end": True}}])
    got = events_of(live.get(f"/v1/responses/{ended.id}?stream=true").body)
    assert got[-1]["error"]["code"] == "stream_truncated"
    assert got[-1]["sequence_number"] == got[-2]["sequence_number"] + 1
    with pytest.raises(APIError):
        list(live.client().responses.retrieve(ended.id, stream=True))


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no lock that keeps readers out of one table")
def test_database_that_does_not_answer__is_a_503(live: Live) -> None:
    called = created(live, NATIVE)
    with transaction.atomic(using=ALIAS):
        statement("LOCK TABLE iwrouting_heldresponse IN ACCESS EXCLUSIVE MODE")
        got = live.get("/v1/responses/resp_nobody")
        assert (got.status, got.json["error"]["code"]) == (503, "database_unavailable")
        # What this worker made lately it knows without asking.
        assert live.get(f"/v1/responses/{called.answer.id}").status == 200


def test_no_text__stands_in_the_rows_of_a_look(live: Live) -> None:
    called = created(live, NATIVE, "Say xylophonist")
    live.client().responses.retrieve(called.answer.id)
    [look] = of_endpoint(live, "responses.get")
    assert "xylophonist" not in json.dumps([look.decision.reason, look.outcome.usage])
    assert Outcome.objects.using(ALIAS).filter(decision=look.decision.id).count() == 1


@pytest.mark.usefixtures("own_home")
def test_usage_of_the_day__counts_a_background_call_once_and_no_look(live: Live) -> None:
    called = background(live)
    for _ in range(3):
        live.client().responses.retrieve(called.answer.id)
    told = live.client().responses.retrieve(called.answer.id).usage
    assert told is not None
    rows = statement("SELECT * FROM rpt_usage_daily_v1 WHERE project = %s", live.home.slug)
    assert [(row["alias"], row["calls"], row["errors"]) for row in rows] == [("research_deep", 1, 0)]
    assert (rows[0]["prompt_tokens"], rows[0]["completion_tokens"]) == (told.input_tokens, told.output_tokens)


def test_id_in_base64__is_held_and_sent_as_it_is(live: Live) -> None:
    odd = "resp_bGl0ZWxsbTo6Ojo+eA==.1:2"
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"response_id": odd}}])
    assert created(live, NATIVE).answer.id == odd
    assert live.get("/v1/responses/resp_bGl0ZWxsbTo6Ojo%2BeA==.1:2").status == 404
    [look] = of_endpoint(live, "responses.get")
    assert (look.outcome.result, look.outcome.upstream_served, look.calls[0].status) == ("error", "", 404)


def test_decisions_of_a_look_and_of_usage__are_read_back(live: Live) -> None:
    called = background(live)
    for _ in range(2):
        live.client().responses.retrieve(called.answer.id)
    reader = live.key(live.home.row, scopes=["read_audit"])
    for endpoint in ("responses.get", "responses.usage"):
        stored = of_endpoint(live, endpoint)[0].decision
        got = live.get(f"/api/v1/decisions/{stored.id}", authorization=f"Bearer {reader}")
        assert (got.status, got.json["endpoint"], got.json["reason"]) == (200, endpoint, stored.reason)
