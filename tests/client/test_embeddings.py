"""Embedding lists of texts."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from iwrouting import client
from tests.client.conftest import Face
from tests.client.service import Service, error, vector


def test_the_vectors_come_in_the_order_of_the_texts(service: Service, face: Face) -> None:
    texts = ["beta", "a", "gamma rays"]
    vectors = face.embed_texts_batched(texts)
    assert vectors == [vector(text) for text in texts]
    assert type(vectors) is list
    assert {type(value) for values in vectors for value in values} == {float}
    (request,) = service.of("/v1/embeddings")
    assert (request.body["model"], request.body["input"]) == ("embedding", texts)


def test_no_texts_need_no_request(service: Service, face: Face) -> None:
    assert face.embed_texts_batched([]) == []
    assert service.received == []


def test_a_named_model_is_passed_on(service: Service, face: Face) -> None:
    face.embed_texts_batched(["a"], model="text-embedding-3-large")
    face.embed_texts_batched(["a"], "text-embedding-3-large")
    assert {request.body["model"] for request in service.received} == {"text-embedding-3-large"}


def test_a_provider_that_ignores_base64_still_gives_floats(service: Service, face: Face) -> None:
    service.vectors_as = "numbers"
    (values,) = face.embed_texts_batched(["abc"])
    assert values == vector("abc")
    assert {type(value) for value in values} == {float}


def test_requests_stay_under_the_body_limit_of_the_service(service: Service, face: Face) -> None:
    texts = [character * 900_000 for character in "abcdefghij"]
    assert face.embed_texts_batched(texts) == [vector(text) for text in texts]
    requests = service.of("/v1/embeddings")
    assert [text for request in requests for text in request.body["input"]] == texts
    assert [len(request.body["input"]) for request in requests] == [4, 4, 2]
    assert max(len(request.raw) for request in requests) < 8_000_000


@pytest.mark.parametrize("text", ["\x01" * 500_000, "é" * 1_500_000, "\\" * 1_500_000, "😀" * 750_000])
def test_the_size_is_the_one_on_the_wire(service: Service, face: Face, text: str) -> None:
    face.embed_texts_batched([text] * 3)
    assert [len(request.body["input"]) for request in service.received] == [1, 1, 1]
    assert all(3_000_000 <= len(request.raw) < 4_000_100 for request in service.received)


def test_a_text_that_is_too_long_by_itself_goes_alone(service: Service, face: Face) -> None:
    texts = ["a", "b" * 5_000_000, "c"]
    assert face.embed_texts_batched(texts) == [vector(text) for text in texts]
    assert [len(request.body["input"]) for request in service.received] == [1, 1, 1]


def test_many_short_texts_are_cut_by_number(service: Service, face: Face) -> None:
    texts = [f"text {number}" for number in range(5_000)]
    assert face.embed_texts_batched(texts) == [vector(text) for text in texts]
    assert [len(request.body["input"]) for request in service.received] == [2_048, 2_048, 904]


def test_one_failing_request_fails_all_and_says_where(service: Service, face: Face) -> None:
    texts = [character * 3_000_000 for character in "abc"]
    whole = service.reply

    def second_fails(request: Any) -> Any:
        return error(400, "too_long", "input[0] is too long") if len(service.received) == 2 else whole(request)

    service.reply = second_fails  # type: ignore[method-assign]
    with pytest.raises(openai.BadRequestError, match="too long") as caught:
        face.embed_texts_batched(texts)
    assert caught.value.__notes__ == ["in texts[1:2] of 3; an index in the message counts from 1"]
    assert len(service.received) == 2


def test_an_unreachable_service_is_said_with_the_place(service: Service, face: Face) -> None:
    service.stop()
    with pytest.raises(client.RouterUnavailable) as caught:
        face.embed_texts_batched(["a", "b"])
    assert caught.value.__notes__ == ["in texts[0:2] of 2; an index in the message counts from 0"]


def test_vectors_of_two_models_are_never_mixed(service: Service, face: Face) -> None:
    whole = service.reply

    def changing(request: Any) -> Any:
        service.matrix["embedding"] = ("embedding", f"vectors-{len(service.received)}")
        return whole(request)

    service.reply = changing  # type: ignore[method-assign]
    with pytest.raises(client.MixedEmbeddings, match="vectors-1 and vectors-2"):
        face.embed_texts_batched(["a" * 3_000_000, "b" * 3_000_000])


def test_a_missing_vector_is_an_error(service: Service, face: Face) -> None:
    whole = service.reply

    def short(request: Any) -> Any:
        request.body["input"].pop()
        return whole(request)

    service.reply = short  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="asked for 3 vectors, got 2"):
        face.embed_texts_batched(["a", "b", "c"])


@pytest.mark.parametrize(
    ("texts", "raised", "message"),
    [
        ("one text", TypeError, "texts: must be a list of strings"),
        (["a", None], TypeError, r"texts\[1\]: must be a string, got NoneType"),
        (["a" * 5_000_000, "b", b"bytes"], TypeError, r"texts\[2\]: must be a string, got bytes"),
        (["a", "b\ud800"], ValueError, r"texts\[1\]: holds a lone surrogate at 1"),
    ],
)
def test_what_is_no_text_is_refused_before_any_request(
    service: Service, face: Face, texts: Any, raised: type[Exception], message: str
) -> None:
    with pytest.raises(raised, match=message):
        face.embed_texts_batched(texts)
    assert service.received == []
