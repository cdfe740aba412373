"""Embeddings over the batch limits come back as if they had been asked in one piece, or not at all."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from openai import APIStatusError, InternalServerError, OpenAI

from iwrouting.types import Endpoint
from tests.live.live import Live
from tests.sandbox import raw
from tests.sandbox.process import KEY

MODEL = "text-embedding-3-small"
PATH = "/v1/embeddings"
ITEMS = 8
TOKENS = 100
"""MAX_EMBED_ITEMS_PER_BATCH and MAX_EMBED_TOKENS_PER_BATCH of the service; a token is four bytes."""

TEXTS = [f"text number {n}" for n in range(30)]
LONG = [f"{n}" * 200 for n in range(5)]
UNEVEN = ["a" * 396, "b", "c" * 4, "d" * 396, "e" * 800, "f", "ü" * 100, "g" * 200]
BATCHES: dict[str, tuple[Any, list[int]]] = {
    "by items": (TEXTS, [8, 8, 8, 6]),
    "one too many": (TEXTS[:9], [8, 1]),
    "just within": (TEXTS[:8], [8]),
    "by tokens": (LONG, [2, 2, 1]),
    "uneven": (UNEVEN, [2, 2, 1, 2, 1]),
    "token arrays": ([[n, n + 1, n + 2] for n in range(20)], [8, 8, 4]),
    "long token arrays": ([list(range(60)), list(range(60)), [1]], [1, 2]),
    "one text": ("a" * 2000, [1]),
    "one token array": ([5] * 300, [1]),
}


def sizes(given: Any) -> int:
    return 1 if isinstance(given, str) or isinstance(given[0], int) else len(given)


@pytest.fixture
def direct(live: Live, sdk: OpenAI) -> OpenAI:
    """The SDK at the sandbox itself."""
    return sdk.with_options(base_url=live.sandbox.base_url, api_key=KEY, max_retries=0)


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("form", ["base64", "float", None])
def test_any_number_of_inputs__comes_back_as_if_unbatched(live: Live, name: str, form: str | None) -> None:
    given, batches = BATCHES[name]
    body = {"model": MODEL, "input": given, "dimensions": 16, **({"encoding_format": form} if form else {})}
    wanted = raw.post(live.sandbox.base_url, PATH, body).json
    before = len(live.sent())
    got = live.post(PATH, {**body, "model": "embedding"})
    assert got.json == wanted
    assert [item["index"] for item in got.json["data"]] == list(range(sizes(given)))
    record = live.the_record()
    assert len(live.sent()) - before == len(batches) == len(record.attempts)
    assert [attempt.batch for attempt in by_batch(record)] == list(range(len(batches)))
    assert {(a.kind, a.rung, a.try_number, a.status, a.endpoint) for a in record.attempts} == {
        ("call", 0, 1, 200, Endpoint.EMBEDDINGS.value)
    }
    outcome = record.outcome
    assert (outcome.prompt_tokens, outcome.calls) == (wanted["usage"]["prompt_tokens"], len(batches))
    assert (outcome.cost_pico, outcome.cost_state) == (wanted["usage"]["prompt_tokens"] * 20_000, "exact")
    assert outcome.bytes_delivered == len(got.body)


def by_batch(record: Any) -> list[Any]:
    return sorted(record.attempts, key=lambda attempt: attempt.batch)


def tokens(item: Any) -> int:
    return len(item) if isinstance(item, list) else -(-len(item.encode()) // 4)


@pytest.mark.parametrize("name", [name for name in BATCHES if not name.startswith("one t")])
def test_batches__are_cut_where_a_limit_is_reached(live: Live, name: str) -> None:
    given, batches = BATCHES[name]
    live.embed(given)
    starts = [sum(batches[:number]) for number in range(len(batches))]
    groups = [given[start : start + size] for start, size in zip(starts, batches, strict=True)]
    wanted = [sum(map(tokens, group)) for group in groups]
    assert sorted(line["usage"]["prompt_tokens"] for line in live.sent()) == sorted(wanted)
    assert all(size <= ITEMS for size in batches)
    assert all(total <= TOKENS or len(group) == 1 for total, group in zip(wanted, groups, strict=True))


def test_sdk_default__gets_the_same_vectors_as_from_the_provider(live: Live, direct: OpenAI) -> None:
    wanted = [item.embedding for item in direct.embeddings.create(model=MODEL, input=TEXTS).data]
    called = live.embed(TEXTS)
    assert [item.embedding for item in called.answer.data] == wanted
    assert (called.answer.model, len(wanted[0])) == (MODEL, 1536)
    assert called.headers["x-iw-attempts"] == "4"
    live.agrees(called.record, in_order=False)


def test_both_encodings__hold_the_same_numbers(live: Live) -> None:
    floats = live.embed(TEXTS, encoding_format="float").answer.data
    body = {"model": "embedding", "input": TEXTS, "encoding_format": "base64"}
    packed = live.post(PATH, body).json["data"]
    for one, other in zip(floats, packed, strict=True):
        data = base64.b64decode(other["embedding"])
        assert list(struct.unpack(f"<{len(data) // 4}f", data)) == pytest.approx(one.embedding, abs=1e-7)


def test_one_batch__failing_once__is_repeated_alone(live: Live) -> None:
    live.sandbox.plan([{"fault": {"status": 500}, "after": 2, "times": 1}])
    called = live.embed(TEXTS)
    record = called.record
    assert [item.index for item in called.answer.data] == list(range(30))
    assert len(record.attempts) == 5
    [failed] = [attempt for attempt in record.attempts if attempt.status == 500]
    tries = [(a.try_number, a.status) for a in record.attempts if a.batch == failed.batch]
    assert tries == [(1, 500), (2, 200)]
    assert record.served() == ("ok", MODEL, 200)
    assert record.outcome.prompt_tokens == called.answer.usage.prompt_tokens
    live.agrees(record, in_order=False)


@pytest.mark.parametrize(("fault", "status", "code"), [
    ({"status": 500}, 502, "all_candidates_failed"),
    ({"status": 404}, 404, "model_not_found"),
    ({"status": 400, "body": {"error": {"message": "No", "code": "bad_input"}}}, 400, "bad_input"),
    ("quota", 429, "insufficient_quota"),
    ({"embeddings": "short"}, 502, "all_candidates_failed"),
    ("reset", 502, "all_candidates_failed"),
    ("html", 502, "all_candidates_failed"),
])  # fmt: skip
def test_one_batch__failing_for_good__fails_all_with_nothing_partial(
    live: Live, fault: Any, status: int, code: str
) -> None:
    slow = {"delay_ms": 150}
    live.sandbox.plan([{"sequence": [None, fault, slow, slow, fault], "times": 5}, {"fault": fault}])
    with pytest.raises(APIStatusError) as caught:
        live.embed(TEXTS)
    error = caught.value
    assert (error.status_code, error.code) == (status, code)
    assert error.response.headers["x-should-retry"] == "false"
    assert "data" not in json.loads(error.response.text)
    record = live.the_record()
    assert record.served() == ("error", "", status)
    assert (record.outcome.prompt_tokens, record.outcome.cost_state) == (None, "unpriced")
    assert sorted(a.seq for a in record.attempts) == list(range(1, len(record.attempts) + 1))
    cancelled = [a for a in record.attempts if a.error_code == "batch_failed"]
    assert all(a.status in (None, 200) for a in cancelled)


@pytest.mark.parametrize("fault", ["shuffle"])
def test_vectors_in_another_order__are_put_right(live: Live, fault: str) -> None:
    wanted = [item.embedding for item in live.embed(TEXTS).answer.data]
    live.sandbox.plan([{"fault": {"embeddings": fault}}])
    for texts in (TEXTS, TEXTS[:3]):
        data = live.embed(texts).answer.data
        assert [item.index for item in data] == list(range(len(texts)))
        assert [item.embedding for item in data] == wanted[: len(texts)]


@pytest.mark.parametrize("fault", ["short", "wrong_width", "nan"])
@pytest.mark.parametrize("form", ["float", "base64"])
def test_bad_vectors__are_a_502_and_never_an_answer(live: Live, fault: str, form: str) -> None:
    live.sandbox.plan([{"fault": {"embeddings": fault}}])
    for texts in (TEXTS[:3], TEXTS):
        with pytest.raises(InternalServerError) as caught:
            live.embed(texts, encoding_format=form)
        assert caught.value.status_code == 502
    for record in live.records():
        codes = {attempt.error_code for attempt in record.attempts}
        assert codes & {"bad_vectors", "bad_body"}


def vectors(*items: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": item} for index, item in enumerate(items)]
    return {"raw_body": json.dumps({"object": "list", "data": data, "model": MODEL})}


ODD: dict[str, Any] = {
    "no number": vectors([0.1, None]),
    "text": vectors([0.1, "0.2"]),
    "infinite": {"raw_body": '{"data": [{"index": 0, "embedding": [1e999, 1]}]}'},
    "empty": vectors([]),
    "missing": vectors(None),
    "an object": vectors({"x": 1}),
    "no base64": vectors("AAA!"),
    "half a number": vectors(base64.b64encode(b"12345").decode()),
    "infinite in base64": vectors(base64.b64encode(struct.pack("<2f", 1, float("-inf"))).decode()),
    "strange index": {"raw_body": '{"data": [{"index": [0], "embedding": [1]}]}'},
    "index of another": {"raw_body": '{"data": [{"index": 1, "embedding": [1]}]}'},
    "data is no list": {"raw_body": '{"data": {"0": 1}}'},
    "no data": {"raw_body": "{}"},
}


@pytest.mark.parametrize("name", ODD)
def test_answer_without_the_vector_asked_for__is_a_502(live: Live, name: str) -> None:
    live.sandbox.plan([{"fault": ODD[name]}])
    with pytest.raises(InternalServerError) as caught:
        live.embed("one", encoding_format="float")
    assert caught.value.code == "all_candidates_failed"
    assert live.the_record().attempts[-1].error_code in ("bad_vectors", "bad_body")


def test_batches_of_different_width__are_a_502(live: Live) -> None:
    client = live.client(live.tenant({"embedding": "of-unknown-width"}))
    live.sandbox.plan([
        {"fault": vectors(*[[0.5, 0.5, 0.5]] * 8), "times": 1},
        {"fault": vectors(*[[0.5, 0.5]] * 8), "times": 1},
    ])  # fmt: skip
    with pytest.raises(InternalServerError):
        live.embed(TEXTS[:16], encoding_format="float", client=client)
    assert sorted(a.error_code for a in live.the_record().attempts) == ["", "bad_vectors"]


def test_refusal_of_the_provider__passes_through(live: Live) -> None:
    with pytest.raises(APIStatusError) as caught:
        live.embed(["fine", "   "])
    assert caught.value.status_code == 400
    with pytest.raises(APIStatusError) as caught:
        live.embed("one", dimensions=5000)
    assert (caught.value.status_code, caught.value.param) == (400, "dimensions")


def test_embedding_model_failing__has_no_other_model_to_fall_back_on(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": "model_gone"}])
    with pytest.raises(APIStatusError) as caught:
        live.embed("one")
    assert (caught.value.status_code, caught.value.code) == (404, "model_not_found")
    assert [(a.model, a.status) for a in live.the_record().attempts] == [(MODEL, 404)]


def test_named_embedding_model__is_served(live: Live) -> None:
    called = live.embed(TEXTS[:2], "text-embedding-3-large")
    assert len(called.answer.data[0].embedding) == 3072
    assert (called.headers["x-iw-source"], called.record.outcome.result) == ("explicit", "ok")
