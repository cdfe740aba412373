"""What the embeddings endpoint refuses (openai-facts.md 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.lookup import Models
from iwrouting.sandbox.refusals import Refused, invalid_type, invalid_value, missing, unknown
from iwrouting.sandbox.strict import model_name
from iwrouting.sandbox.words import tokens

FIELDS = frozenset({"input", "model", "dimensions", "encoding_format", "user"})
MAX_ITEMS, MAX_ITEM_TOKENS, MAX_REQUEST_TOKENS = 2048, 8192, 300_000

Input = str | list[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked embedding request."""

    model: str
    items: list[Input]
    width: int
    base64: bool
    tokens: int


def checked(models: Models, request: Json) -> Asked:
    """The request, checked in the provider's order. Refused: anything it would not take."""
    facts, width = models.for_embeddings(model_name(request))
    for name in request:
        if name not in FIELDS:
            raise unknown(name)
    items = inputs(request.get("input"))
    counts = [len(item) if isinstance(item, list) else tokens(item) for item in items]
    limit = facts.max_input or MAX_ITEM_TOKENS
    if max(counts) > limit:
        raise too_long(limit, max(counts))
    if sum(counts) > MAX_REQUEST_TOKENS:
        message = f"Requested {sum(counts)} tokens, max {MAX_REQUEST_TOKENS} tokens per request"
        raise Refused(400, message, kind="max_tokens_per_request", code="max_tokens_per_request")
    return Asked(facts.id, items, dimensions(request, width), in_base64(request), sum(counts))


def too_long(limit: int, count: int) -> Refused:
    """400 for one input over the model's limit."""
    return Refused(
        400,
        f"This model's maximum context length is {limit} tokens, however you requested {count} tokens ({count} in "
        "your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
    )


def inputs(value: object) -> list[Input]:
    """The four forms of `input` as a list: a string, strings, a token array, token arrays."""
    if value is None:
        raise missing("input")
    if isinstance(value, str):
        return [text(value, "input")]
    if not isinstance(value, list):
        raise invalid_type("input", "a string or an array", value)
    if not value:
        raise Refused(
            400,
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="input",
            code="empty_array",
        )
    if all(is_token(item) for item in value):
        return [value]
    if len(value) > MAX_ITEMS:
        raise Refused(
            400,
            f"Invalid 'input': array too long. Expected an array with maximum length {MAX_ITEMS}, but got an array "
            f"with length {len(value)} instead.",
            param="input",
            code="array_above_max_length",
        )
    return [one(item, index) for index, item in enumerate(value)]


def one(item: object, index: int) -> Input:
    """One member of an array of inputs."""
    if isinstance(item, str):
        return text(item, f"input[{index}]")
    if isinstance(item, list) and item and all(is_token(number) for number in item):
        return item
    if isinstance(item, list):
        raise bad_input()
    raise invalid_type(f"input[{index}]", "a string or an array of integers", item)


def text(value: str, param: str) -> str:
    """A text that is not blank: the provider refuses those too."""
    if not value:
        raise Refused(400, f"Invalid '{param}': input cannot be an empty string.", param=param, code="invalid_value")
    if not value.strip():
        raise bad_input()
    return value


def bad_input() -> Refused:
    """The provider's catch-all for inputs that its schema has no better message for."""
    return Refused(400, "'$.input' is invalid. Please check the API reference: docs/api-reference.")


def is_token(value: object) -> bool:
    """Whether a value is a token number."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def dimensions(request: Json, width: int) -> int:
    """The width of the vectors: what was asked for, at most the model's own."""
    value: Any = request.get("dimensions")
    if value is None:
        return width
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_type("dimensions", "an integer", value)
    if value < 1:
        message = f"Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got {value} instead."
        raise Refused(400, message, param="dimensions", code="integer_below_min_value")
    if value > width:
        message = f"Invalid value for 'dimensions' = {value}. Must be less than or equal to {width}."
        raise Refused(400, message, param="dimensions")
    return value


def in_base64(request: Json) -> bool:
    """Whether base64 was asked for; the default on the wire is float."""
    value = request.get("encoding_format")
    if value in (None, "float", "base64"):
        return bool(value == "base64")
    if not isinstance(value, str):
        raise invalid_type("encoding_format", "a string", value)
    raise invalid_value("encoding_format", value, ("float", "base64"))
