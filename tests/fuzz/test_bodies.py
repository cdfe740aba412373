"""Any JSON as a request or an answer, through every reader and translator: told, refused by name, or a failure."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import TypeAdapter

from iwrouting import catalogue
from iwrouting.api.bodies import read_object
from iwrouting.autoroute import measure
from iwrouting.calls.requests import read_chat, read_embeddings
from iwrouting.errors import BadRequest
from iwrouting.types import Endpoint, ModelFacts
from iwrouting.upstream import adapt, classify, read_usage
from iwrouting.upstream.failures import Failure, in_band
from iwrouting.upstream.folding import fold_chat, fold_responses
from iwrouting.upstream.sse import StreamScanner
from iwrouting.upstream.synthesise import chat_frames
from iwrouting.upstream.translate import chat_to_responses, responses_to_chat, responses_usage
from iwrouting.upstream.translate.reverse import Echo, chat_to_response, request_for_chat
from iwrouting.upstream.translate.wire import dumps, loads
from tests.fuzz.campaign import examples
from tests.fuzz.mutants import HOSTILE, mutated, reordered, written
from tests.fuzz.recorded import CHAT, RESPONSES, chat_answers, chat_streams, responses, responses_streams
from tests.fuzz.streams import ID, NOW, data_of, received
from tests.fuzz.truth import composed, counts, faults, readable, said, texts

Json = dict[str, Any]
COMPLETION: TypeAdapter[Any] = TypeAdapter(ChatCompletion)
RESPONSE: TypeAdapter[Any] = TypeAdapter(Response)
CODEX = catalogue.models()["gpt-5.1-codex"].facts
MINI = catalogue.models()["gpt-5-mini"].facts
RESEARCH = catalogue.models()["o3-deep-research"].facts
NEW = ModelFacts("new", frozenset({"chat", "responses"}))
FACTS = st.sampled_from([CODEX, RESEARCH, MINI, NEW])
PASSED_ON = ("service_tier", "moderation")
TOO_DEEP = "recursion limit exceeded"
"""What the judge itself gives up on."""


def answer_in(value: Any) -> Json | None:
    """A mutated answer as the dispatch reads it; None for one that is no object."""
    try:
        found = orjson.loads(written(value))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def tried(work: Callable[..., Any], *given_: Any, **more: Any) -> Any:
    """What it gives, or the BadRequest that it raises."""
    try:
        return work(*given_, **more)
    except BadRequest as error:
        return error


def request_in(value: Any) -> Json | None:
    """A mutated request as the door reads it; None for one that the door refuses."""
    found = tried(read_object, written(value))
    return None if isinstance(found, BadRequest) else found


def check_answer(made: Json | Failure, kind: TypeAdapter[Any], given_: Json, names: tuple[str, str]) -> None:
    """An answer of the SDK's type, its words and numbers those of the input."""
    if isinstance(made, Failure):
        return
    data = written_out(made)
    if data is None:
        return
    assert [fault for fault in faults(kind, data) if not fault.startswith(PASSED_ON) and TOO_DEEP not in fault] == []
    known = texts(given_)
    assert [text for text in said(made) if not composed(text, known)] == []
    usage = made.get("usage") or {}
    assert counts(usage) <= counts(given_) | {sum(usage.get(name, 0) for name in names), 0}


def written_out(made: Json) -> bytes | None:
    """The JSON of something that we made; None where it is nested too deep for that, which is said by ValueError."""
    try:
        return dumps(made)
    except ValueError:
        return None


@examples(150)
@given(value=mutated(responses))
def test_any_response__becomes_a_valid_completion_or_a_failure(value: Any) -> None:
    given_ = answer_in(value)
    if given_ is not None:
        made = responses_to_chat(given_, chat_id=ID, created=NOW)
        check_answer(made, COMPLETION, given_, ("prompt_tokens", "completion_tokens"))
        responses_usage(given_)


@examples(150)
@given(value=mutated(chat_answers))
def test_any_completion__becomes_a_valid_response_or_a_failure(value: Any) -> None:
    given_ = answer_in(value)
    if given_ is not None:
        made = chat_to_response(given_, Echo({"model": "fast", "input": "Hi"}, "resp_1", "k", NOW))
        check_answer(made, RESPONSE, given_, ("input_tokens", "output_tokens"))
        read_usage(given_)


@examples(100)
@given(value=mutated(chat_answers), usage=st.booleans())
def test_any_completion__as_a_stream_invents_nothing(value: Any, usage: bool) -> None:
    try:
        given_ = loads(written(value))
    except ValueError:
        return
    scanner = StreamScanner(keep_usage=True)
    *frames, done = chat_frames(given_, usage)
    assert done == b"data: [DONE]\n\n"
    for frame in frames:
        scanner.take(frame)
    made = [readable(data) for data in data_of(b"".join(frames))]
    assert {*said(made)} <= texts(given_)
    choices = given_.get("choices")
    ends = (
        [each.get("finish_reason") for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []
    )
    assert not scanner.whole or any(isinstance(end, str) for end in ends)


@examples(100)
@given(frames=reordered(chat_streams) | reordered(responses_streams), choices=st.integers(1, 2))
def test_any_stream__as_a_whole_invents_nothing(frames: list[bytes], choices: int) -> None:
    body = b"".join(frames)
    known = texts(received([body + b"\n\n\n"]))
    for made in (fold_chat(body, choices), fold_responses(body)):
        if not isinstance(made, Failure):
            assert [text for text in said(made) if not composed(text, known)] == []


Translator = Callable[..., Any]


def check_request(translate: Translator, body: Json, facts: ModelFacts, strict: bool) -> None:
    """Translated with nothing made up, and writable; or refused by the name of the field."""
    before = copy.deepcopy(body)
    made = tried(translate, body, facts, strict=strict)
    assert body == before
    if isinstance(made, BadRequest):
        assert (bool(made.param), made.status) == (True, 400)
        return
    orjson.dumps(made.body)
    assert {text for text in said(made.body) if not composed(text, texts(body))} <= {facts.id}
    assert all(isinstance(change, str) and change.isprintable() for change in made.changes)


@examples(200)
@given(value=mutated(lambda: list(CHAT.values()), 4), facts=FACTS, strict=st.booleans())
def test_any_chat_request__is_translated_or_refused_by_name(value: Any, facts: ModelFacts, strict: bool) -> None:
    body = request_in({"model": "code", **value})
    if body is not None:
        check_request(chat_to_responses, body, facts, strict)


@examples(200)
@given(value=mutated(lambda: list(RESPONSES.values()), 4), facts=FACTS, strict=st.booleans())
def test_any_responses_request__is_translated_or_refused_by_name(value: Any, facts: ModelFacts, strict: bool) -> None:
    body = request_in({"model": "code", **value})
    if body is not None:
        check_request(request_for_chat, body, facts, strict)


EMBEDDINGS: list[Json] = [{"input": ["a", "b"]}, {"input": [[1, 2], [3]], "dimensions": 4}, {"input": [1, 2]}]


@examples(150)
@given(value=mutated(lambda: [*CHAT.values(), *EMBEDDINGS], 4), facts=FACTS)
def test_any_request__is_read_and_adapted_or_refused_by_name(value: Any, facts: ModelFacts) -> None:
    body = request_in({"model": "fast", **value})
    if body is None:
        return
    vectors, chat = tried(read_embeddings, body), tried(read_chat, body)
    assert not isinstance(vectors, BadRequest) or vectors.param
    if isinstance(chat, BadRequest):
        assert chat.param
        return
    measure(chat.messages)
    for endpoint in (Endpoint.CHAT, Endpoint.RESPONSES):
        found = tried(adapt, chat.body, facts, endpoint)
        assert found.param if isinstance(found, BadRequest) else orjson.dumps(found[0])


@examples(100)
@given(body=st.binary(max_size=60) | HOSTILE.map(written))
def test_any_bytes__are_an_object_or_a_400(body: bytes) -> None:
    found = tried(read_object, body)
    assert found.code == "invalid_json" if isinstance(found, BadRequest) else orjson.dumps(found)


ERRORS: list[Json] = [
    {"error": {"message": "No", "type": "requests", "param": "model", "code": "rate_limit_exceeded"}},
    {"error": "No"},
]
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-request-id", "x-should-retry"]), st.text(max_size=30)
)


@examples(100)
@given(
    value=mutated(lambda: ERRORS),
    status=st.sampled_from([204, 301, 400, 403, 404, 408, 429, 500, 503, 599]),
    headers=HEADERS,
)
def test_any_error__is_classified(value: Any, status: int, headers: dict[str, str]) -> None:
    failure = classify(status, headers, written(value))
    assert failure.status == status
    assert failure.retry_after_s is None or 0 <= failure.retry_after_s <= 86_400
    given_ = answer_in(value) or {}
    if isinstance(given_.get("error"), dict):
        in_band(given_["error"])


@pytest.mark.parametrize("seeds", [chat_answers, responses, chat_streams, responses_streams])
def test_there_is_something_to_mutate(seeds: Callable[[], list[Any]]) -> None:
    assert len(seeds()) >= 5
    assert all(seeds())
