"""Embeddings: vectors, order, encodings, and what is refused."""

from __future__ import annotations

import base64
import math
from array import array
from typing import Any

import pytest
from openai import OpenAI

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

EMBEDDINGS = "/v1/embeddings"
SMALL = "text-embedding-3-small"


def ask(given: Any, **more: Any) -> dict[str, Any]:
    return {"model": SMALL, "input": given, **more}


def test_vectors_are_of_the_models_width_and_of_length_one(client: OpenAI) -> None:
    for model, width in ((SMALL, 1536), ("text-embedding-3-large", 3072)):
        answer = client.embeddings.create(model=model, input=["one", "two", "three"])
        assert [item.index for item in answer.data] == [0, 1, 2]
        for item in answer.data:
            assert len(item.embedding) == width
            assert math.isclose(math.hypot(*item.embedding), 1, rel_tol=1e-4)


def test_the_same_text_gives_the_same_vector_and_another_text_or_model_another(client: OpenAI) -> None:
    first = client.embeddings.create(model=SMALL, input=["one", "two", "one"]).data
    again = client.embeddings.create(model=SMALL, input="one").data
    other = client.embeddings.create(model="text-embedding-3-large", input="one", dimensions=1536).data
    assert first[0].embedding == first[2].embedding == again[0].embedding
    assert first[0].embedding != first[1].embedding
    assert first[0].embedding != other[0].embedding


def test_base64_and_float_are_the_same_numbers_and_float_is_the_default(sandbox: SandboxProcess) -> None:
    plain = raw.post(sandbox.base_url, EMBEDDINGS, ask("one")).json["data"][0]["embedding"]
    packed = raw.post(sandbox.base_url, EMBEDDINGS, ask("one", encoding_format="base64")).json["data"][0]["embedding"]
    assert array("f", base64.b64decode(packed)).tolist() == plain


def test_dimensions_and_token_arrays(client: OpenAI) -> None:
    answer = client.embeddings.create(model=SMALL, input=[[1, 2, 3], [4]], dimensions=64)
    assert [len(item.embedding) for item in answer.data] == [64, 64]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 4
    assert len(client.embeddings.create(model=SMALL, input=[1, 2, 3]).data) == 1


def test_the_largest_request_is_taken(sandbox: SandboxProcess) -> None:
    answer = raw.post(sandbox.base_url, EMBEDDINGS, ask(["x"] * 2048, dimensions=2), wait_s=20)
    assert len(answer.json["data"]) == 2048
    assert raw.post(sandbox.base_url, EMBEDDINGS, ask("x" * (8192 * 4), dimensions=2)).status == 200


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": SMALL}, 400, "input", "missing_required_parameter"),
        ({"input": "x"}, 400, None, None),
        ({"model": "gpt-4.1", "input": "x"}, 403, None, None),
        ({"model": "text-9", "input": "x"}, 404, None, "model_not_found"),
        (ask(""), 400, "input", "invalid_value"),
        (ask("  "), 400, None, None),
        (ask([]), 400, "input", "empty_array"),
        (ask(["a", ""]), 400, "input[1]", "invalid_value"),
        (ask(["a", []]), 400, None, None),
        (ask(["a", 1]), 400, "input[1]", "invalid_type"),
        (ask(["a", None]), 400, "input[1]", "invalid_type"),
        (ask({"text": "a"}), 400, "input", "invalid_type"),
        (ask(["x"] * 2049), 400, "input", "array_above_max_length"),
        (ask("x" * (8192 * 4 + 1)), 400, None, None),
        (ask([[1] * 8193]), 400, None, None),
        (ask(["x" * 32_000] * 38), 400, None, "max_tokens_per_request"),
        (ask("x", dimensions=0), 400, "dimensions", "integer_below_min_value"),
        (ask("x", dimensions=1537), 400, "dimensions", None),
        (ask("x", dimensions="all"), 400, "dimensions", "invalid_type"),
        (ask("x", encoding_format="hex"), 400, "encoding_format", "invalid_value"),
        (ask("x", encoding_format=1), 400, "encoding_format", "invalid_type"),
        (ask("x", truncate=True), 400, "truncate", "unknown_parameter"),
    ],
    ids=range(22),
)
def test_it_refuses(
    sandbox: SandboxProcess, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = raw.post(sandbox.base_url, EMBEDDINGS, body)
    error = answer.error
    assert set(error) == {"message", "type", "param", "code"}
    assert (answer.status, error["param"], error["code"]) == (status, param, code)


def test_the_request_limit_is_named_as_the_real_one_names_it(sandbox: SandboxProcess) -> None:
    error = raw.post(sandbox.base_url, EMBEDDINGS, ask(["x" * 32_000] * 38)).error
    assert error["type"] == "max_tokens_per_request"
    assert error["message"] == "Requested 304000 tokens, max 300000 tokens per request"
