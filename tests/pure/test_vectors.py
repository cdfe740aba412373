"""Vectors are what was asked for, or no answer; refusals speak the caller's numbering."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.types import ModelFacts
from iwrouting.upstream.failures import Failure, Step
from iwrouting.upstream.vectors import Expected, common_width, expected_vectors, renumbered, sort_items

SMALL = ModelFacts("small", frozenset({"embeddings"}), dimensions=4)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def items(*vectors: Any) -> list[dict[str, Any]]:
    return [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]


@pytest.mark.parametrize(("body", "expected"), [
    ({}, Expected(list, 4)),
    ({"encoding_format": None, "dimensions": None}, Expected(list, 4)),
    ({"encoding_format": "float", "dimensions": 2}, Expected(list, 2)),
    ({"encoding_format": "base64"}, Expected(str, 4)),
    ({"encoding_format": "ubinary"}, Expected(None, 4)),
    ({"encoding_format": ["float"], "dimensions": "2"}, Expected(None, 4)),
])  # fmt: skip
def test_expected_vectors__by_what_was_asked__else_by_the_model(body: dict[str, Any], expected: Expected) -> None:
    assert expected_vectors(body, SMALL) == expected


def test_expected_vectors__for_a_model_of_unknown_width__takes_any() -> None:
    assert expected_vectors({}, ModelFacts("new", frozenset())) == Expected(list, None)


@pytest.mark.parametrize(("vectors", "expected", "width"), [
    (([0.5, 1], [1, 0.5]), Expected(list, 2), 2),
    (([0.5, 1], [1, 0.5]), Expected(), 2),
    (([0.5, 1], [1, 0.5]), Expected(list, 3), None),
    (([0.5, 1], [1]), Expected(), None),
    (([0.5, True],), Expected(), None),
    (([0.5, "1"],), Expected(), None),
    (([0.5, [1]],), Expected(), None),
    (([1e308, 1e308],), Expected(), None),
    (([],), Expected(), None),
    ((None,), Expected(None), None),
    ((packed(1, 2),), Expected(str, 2), 2),
    ((packed(1, 2),), Expected(list), None),
    (([1, 2],), Expected(str), 2),
    ((packed(1, 2), [1, 2]), Expected(None), 2),
    ((packed(1, float("nan")),), Expected(str), None),
    ((packed(1, float("-inf")),), Expected(str), None),
    ((packed(3e38, -3e38),), Expected(str), 2),
    (("",), Expected(str), None),
    (("\u00e9",), Expected(str), None),
])  # fmt: skip
def test_common_width__only_of_vectors_as_expected(vectors: tuple[Any, ...], expected: Expected, width: Any) -> None:
    assert common_width(items(*vectors), expected) == width


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["index", "embedding"]), inner),
    max_leaves=8,
)


@given(data=JUNK, size=st.integers(1, 3), form=st.sampled_from([list, str, None]))
def test_any_answer__is_judged_without_an_exception(data: Any, size: int, form: type | None) -> None:
    found = sort_items(data, size)
    assert found is None or common_width(found, Expected(form)) is None or len(found) == size


@given(data=st.lists(st.fixed_dictionaries({"index": st.integers(-1, 4), "embedding": JUNK}), max_size=5))
def test_sorted_items__are_those_of_the_answer__each_index_once(data: list[dict[str, Any]]) -> None:
    found = sort_items(data, len(data))
    whole = sorted(item["index"] for item in data) == list(range(len(data)))
    assert (found is not None) == whole
    assert found is None or [item["index"] for item in found] == list(range(len(data)))


def refusal(param: str = "", message: str = "", status: int = 400) -> Failure:
    return Failure(Step.STOP, "invalid_request_error", "invalid_value", param, status, message)


@pytest.mark.parametrize(("given_", "told"), [
    (refusal("input[3]", "Invalid 'input[3]': empty."), ("input[259]", "Invalid 'input[259]': empty.")),
    (refusal("input[3][0]", "No"), ("input[259][0]", "No")),
    (refusal("", "'$.input[0]' is invalid."), ("", "'$.input[256]' is invalid.")),
    (refusal("", "'$.input' is invalid."), ("", "'$.input' is invalid. (in the batch of input[256] to input[511])")),
    (refusal("dimensions", "Too large."), ("dimensions", "Too large.")),
    (refusal("input", ""), ("input", "")),
    (refusal("input[3]", "input[3]", 500), ("input[3]", "input[3]")),
])  # fmt: skip
def test_renumbered__names_the_callers_own_item(given_: Failure, told: tuple[str, str]) -> None:
    found = renumbered(given_, 256, 256)
    assert (found.param, found.message) == told
