"""Embeddings requests are cut so that no provider limit can be exceeded, and refused where that is sure."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting.calls.requests import MAX_ITEMS, read_embeddings
from iwrouting.calls.vectors import check_vectors, cut, join
from iwrouting.conf import Settings
from iwrouting.dispatch import Batch, Served
from iwrouting.dispatch.batches import BatchAnswer
from iwrouting.errors import BadRequest
from iwrouting.types import AttemptRecord, Endpoint, ModelFacts, Rung, Source, Usage

LARGEST = Settings(MAX_EMBED_TOKENS_PER_BATCH=300_000, MAX_EMBED_ITEMS_PER_BATCH=2048)  # type: ignore[call-arg] # by alias
SMALL = ModelFacts("small", frozenset({"embeddings"}), max_input=8192, dimensions=1536)


def batches(given_: Any, conf: Settings = LARGEST) -> list[Batch]:
    return cut(read_embeddings({"model": "embedding", "input": given_, "user": "u"}), conf)


def ceiling(item: Any) -> int:
    """The most tokens that an item can have."""
    return len(item) if isinstance(item, list) else len(item.encode("utf-8", "replace"))


TEXTS = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=3), st.integers(1, 60_000))
TOKENS = st.builds(lambda count: [7] * count, st.integers(1, 60_000))


@settings(max_examples=60, deadline=None)
@given(items=st.lists(TEXTS, min_size=1, max_size=40) | st.lists(TOKENS, min_size=1, max_size=40))
def test_cut__at_the_largest_settings__exceeds_no_provider_limit(items: list[Any]) -> None:
    found = batches(items)
    inputs = [batch.body["input"] for batch in found]
    assert [item for group in inputs for item in group] == items
    assert all(batch.body["user"] == "u" for batch in found)
    assert all(len(group) == 1 or sum(map(ceiling, group)) <= 300_000 for group in inputs)
    assert [batch.start for batch in found] == [sum(len(g) for g in inputs[:n]) for n in range(len(inputs))]


def test_cut__of_most_items__keeps_to_the_providers_count() -> None:
    assert [batch.size for batch in batches(["x"] * 5000)] == [2048, 2048, 904]


def test_cut__of_one_batch__leaves_the_request_as_it_came() -> None:
    (batch,) = batches("one text")
    assert (batch.body["input"], batch.whole, batch.size) == ("one text", True, 1)


@pytest.mark.parametrize(("given_", "words"), [
    ("", "input: an empty item"),
    ([], "input: give a text"),
    (None, "input: give a text"),
    (5, "input: give a text"),
    ({"a": 1}, "input: give a text"),
    (["a", ""], "input[1]: an empty item"),
    ([[1], []], "input[1]: an empty item"),
    (["a", [1]], "input[1]: texts and lists of tokens do not mix"),
    ([[1], [2], "a"], "input[2]: texts and lists of tokens do not mix"),
    (["a", 5], "input[1]: must be"),
    ([5, "a"], "input[0]: must be"),
    ([5, -1], "input: must be"),
    ([[1], [2, 3.5]], "input[1]: must be"),
    ([[1], [True]], "input[1]: must be"),
    ([None], "input[0]: must be"),
    (["x"] * (MAX_ITEMS + 1), f"input: at most {MAX_ITEMS} items"),
])  # fmt: skip
def test_input_of_no_known_form__is_refused_with_its_place(given_: Any, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_embeddings({"model": "embedding", "input": given_})
    assert caught.value.message.startswith(words)
    assert caught.value.param == "input"


def checked(body: dict[str, Any], facts: ModelFacts = SMALL) -> BadRequest | None:
    try:
        check_vectors(read_embeddings({"model": "embedding", **body}), facts, LARGEST)
    except BadRequest as error:
        return error
    return None


def test_token_list_over_the_models_input__is_refused_before_any_batch_is_paid_for() -> None:
    error = checked({"input": [[1], [5] * 8193]})
    assert error is not None
    assert (error.code, error.param) == ("context_length_exceeded", "input")
    assert error.message == "input[1]: 8193 tokens; small takes at most 8192 in one item. Cut it."
    assert checked({"input": [[5] * 8192]}) is None
    assert checked({"input": [[5] * 9000]}, ModelFacts("new", frozenset())) is None


@pytest.mark.parametrize(("items", "more", "fits"), [
    (100_000, {"encoding_format": "base64"}, True),
    (100_000, {"encoding_format": "float"}, False),
    (100_000, {}, False),
    (100_000, {"dimensions": 256}, True),
    (20_000, {}, True),
])  # fmt: skip
def test_answer_that_must_exceed_its_limit__is_refused_with_ways_out(
    items: int, more: dict[str, Any], fits: bool
) -> None:
    error = checked({"input": ["x"] * items, **more})
    assert (error is None) == fits
    assert error is None or ("IW_MAX_EMBED_ANSWER_MB allows 1024" in error.message and "base64" in error.message)


def part(start: int, size: int, vector: str) -> BatchAnswer:
    data = [{"object": "embedding", "index": start + n, "embedding": vector} for n in range(size)]
    rung = Rung(0, "embedding", "small", Source.DEFAULT, "sandbox")
    attempt = AttemptRecord(1, "call", 0, 1, "embedding", "small", "sandbox", Endpoint.EMBEDDINGS)
    served = Served(rung, attempt, b"", Usage(prompt_tokens=size))
    return BatchAnswer(served, {"object": "list", "model": "small"}, orjson.dumps(data)[1:-1], 3)


def test_join__of_a_hundred_thousand_items__numbers_each_once() -> None:
    parts = [part(start, 250, "A" * 64) for start in range(0, 100_000, 250)]
    found = orjson.loads(join(parts))
    assert [item["index"] for item in found["data"]] == list(range(100_000))
    assert (found["object"], found["model"]) == ("list", "small")
    assert found["usage"] == {"prompt_tokens": 100_000, "total_tokens": 100_000}
