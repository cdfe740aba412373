"""What an embeddings answer must be, over batches too: as asked, in the caller's numbering, in the provider's bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIStatusError, InternalServerError

from tests.live.live import Live

MODEL = "text-embedding-3-small"
TEXTS = [f"text number {n}" for n in range(20)]
"""Batches of 8, 8 and 4."""


def answer(*vectors: Any, **more: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"raw_body": json.dumps({"object": "list", "data": data, "model": MODEL, **more})}


@pytest.mark.parametrize(("fault", "more"), [
    (answer([0.5] * 3), {"encoding_format": "float", "dimensions": 4}),
    (answer([0.5] * 1535), {"encoding_format": "float"}),
    (answer("AAAAPw==" * 2), {"encoding_format": "float", "dimensions": 3}),
    (answer([0.5, True, 0.5]), {"encoding_format": "float", "dimensions": 3}),
])  # fmt: skip
def test_vectors_other_than_asked__are_bad_vectors(live: Live, fault: dict[str, Any], more: dict[str, Any]) -> None:
    live.sandbox.plan([{"fault": fault}])
    with pytest.raises(InternalServerError) as caught:
        live.embed("one", **more)
    assert caught.value.status_code == 502
    assert live.the_record().attempts[-1].error_code == "bad_vectors"


def test_numbers_where_base64_was_asked__are_passed_on(live: Live) -> None:
    live.sandbox.plan([{"fault": answer([0.5] * 16)}])
    got = live.post(
        "/v1/embeddings", {"model": "embedding", "input": "one", "dimensions": 16, "encoding_format": "base64"}
    )
    assert (got.status, json.loads(got.body)["data"][0]["embedding"]) == (200, [0.5] * 16)


def test_error_inside_a_200__beside_good_vectors__is_no_success(live: Live) -> None:
    error = {"message": "The server had an error", "type": "server_error", "code": None, "param": None}
    live.sandbox.plan([{"fault": answer([0.5] * 4, error=error)}])
    with pytest.raises(InternalServerError):
        live.embed("one", encoding_format="float", dimensions=4)
    assert live.the_record().outcome.result == "error"


@pytest.mark.parametrize("body", [{"detail": "error"}, {"data": [], "errors": [{"message": "no"}]}, {"data": None}])
def test_error_under_another_name__is_no_success(live: Live, body: dict[str, Any]) -> None:
    live.sandbox.plan([{"fault": {"raw_body": json.dumps(body)}}])
    with pytest.raises(InternalServerError):
        live.embed("one")


def test_one_batch__is_the_providers_very_bytes(live: Live) -> None:
    text = '{ "data":[ {"embedding":[0.10,-2.50e-1],"index":0,"x":"\\u00e9"}],\n"usage":{"prompt_tokens":3},"y":1.0 }'
    live.sandbox.plan([{"fault": {"raw_body": text}}])
    got = live.post("/v1/embeddings", {"model": "embedding", "input": "one", "dimensions": 2})
    assert (got.status, got.body) == (200, text.encode())


@pytest.mark.parametrize(("param", "message", "told"), [
    ("input[3]", "Invalid 'input[3]': bad.", "Invalid 'input[{}]': bad."),
    (None, "'$.input' is invalid.", "'$.input' is invalid. (in the batch of input[{}] to input[{}])"),
])  # fmt: skip
def test_refusal_of_one_batch__names_the_callers_item(live: Live, param: Any, message: str, told: str) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    live.sandbox.plan([{"fault": {"status": 400, "body": {"error": error}}, "after": 1, "times": 1}])
    with pytest.raises(APIStatusError) as caught:
        live.embed(TEXTS)
    [failed] = [attempt for attempt in live.the_record().attempts if attempt.status == 400]
    assert failed.batch is not None
    start, size = [(0, 8), (8, 8), (16, 4)][failed.batch]
    said = json.loads(caught.value.response.text)["error"]
    wanted = told.format(start + 3) if param else told.format(start, start + size - 1)
    assert (said["message"], said["param"]) == (wanted, f"input[{start + 3}]" if param else None)


def test_blank_item__is_the_providers_to_refuse__by_its_batch(live: Live) -> None:
    with pytest.raises(APIStatusError) as caught:
        live.embed([*TEXTS[:17], "  \n "])
    assert caught.value.status_code == 400
    assert "input[16] to input[17]" in json.loads(caught.value.response.text)["error"]["message"]


@pytest.mark.parametrize(("given", "words"), [
    (["a", ""], "input[1]"),
    (["a", [1]], "input[1]"),
    ([[1], []], "input[1]"),
    ([[1], [7] * 8193], "input[1]: 8193 tokens"),
    (["a", "hello " * 14_000], "input[1]: 14001 tokens"),
    ("", "input: an empty item"),
    ([], "input: give"),
])  # fmt: skip
def test_input_that_can_have_no_vectors__is_refused_before_any_call(live: Live, given: Any, words: str) -> None:
    with pytest.raises(APIStatusError) as caught:
        live.embed(given)
    assert (caught.value.status_code, caught.value.param) == (400, "input")
    assert json.loads(caught.value.response.text)["error"]["message"].startswith(words)
    assert live.sent() == []
    assert live.the_record().outcome.result == "refused"


def test_long_text_of_few_tokens__is_the_providers_to_judge(live: Live) -> None:
    with pytest.raises(APIStatusError) as caught:
        live.embed("=" * 70_000)
    assert (caught.value.status_code, len(live.sent())) == (400, 1)


def test_only_the_batch_that_failed__is_sent_again(live: Live) -> None:
    live.sandbox.plan([{"fault": {"status": 503}, "after": 1, "times": 1}])
    called = live.embed(TEXTS)
    seen = [line["client_request_id"] for line in live.sent()]
    batch = {f"{called.record.decision.id}-{attempt.seq}": attempt.batch for attempt in called.record.attempts}
    assert sorted(str(batch[each]) for each in seen) in (list("0012"), list("0112"), list("0122"))


def test_answer_of_unknown_width__over_the_limit__is_given_up(live: Live) -> None:
    service = live.world.other_service("small answers", IW_MAX_EMBED_ANSWER_MB="1")
    client = live.client(url=service.url)
    live.sandbox.plan([{"fault": answer(*[[0.123456789] * 40_000] * 8)}])
    with pytest.raises(InternalServerError):
        live.embed(TEXTS[:8], client=client, encoding_format="float")
    assert "too_large" in {attempt.error_code for attempt in live.the_record().attempts}
    with pytest.raises(APIStatusError) as caught:
        live.embed(["x"] * 200, client=client, encoding_format="float")
    assert (caught.value.status_code, caught.value.param) == (400, "input")
