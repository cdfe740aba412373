"""What routing needs of a request body, checked by hand; everything else is the provider's to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iwrouting.errors import BadRequest

MAX_NAME = 256
MAX_ITEMS = 100_000
OBJECTS: tuple[tuple[str, Any, str], ...] = (
    ("conversation", str | dict, "an id or an object"),
    ("previous_response_id", str, "an id"),
    ("stream_options", dict, "an object"),
    ("tools", list, "a list of tools"),
)
"""Members of a Responses body that routing looks at."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion as asked."""

    body: dict[str, Any]
    model: str
    messages: list[dict[str, Any]]
    stream: bool
    include_usage: bool
    choices: int


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """Embeddings as asked; `items` are the inputs one by one: texts, or lists of token numbers."""

    body: dict[str, Any]
    model: str
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A response as asked. `messages` are its input and instructions as `auto` measures them: texts alone.

    `choices` and `include_usage` are what every response has: one answer, and its usage at the end.
    """

    body: dict[str, Any]
    model: str
    messages: list[dict[str, Any]]
    stream: bool
    background: bool
    previous: str
    choices: int = 1
    include_usage: bool = True


def read_chat(body: dict[str, Any]) -> ChatRequest:
    """Check a chat body. Raises BadRequest that names the field."""
    model = read_model(body)
    messages = read_messages(body)
    stream = _flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise BadRequest("stream_options: must be an object.", param="stream_options")
    choices = body.get("n")
    if choices is not None and (type(choices) is not int or not 1 <= choices <= 128):
        raise BadRequest("n: must be a whole number from 1 to 128.", param="n")
    return ChatRequest(
        body=body,
        model=model,
        messages=messages,
        stream=stream,
        include_usage=bool((options or {}).get("include_usage")),
        choices=choices or 1,
    )


def read_responses(body: dict[str, Any]) -> ResponsesRequest:
    """Check a Responses body. Raises BadRequest that names the field."""
    model = read_model(body)
    given = body.get("input")
    if given is not None and not isinstance(given, str | list):
        raise BadRequest("input: must be a text or a list of items.", param="input")
    for name, kind, said in OBJECTS:
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise BadRequest(f"{name}: must be {said}.", param=name)
    _flag(body, "store")
    return ResponsesRequest(
        body=body,
        model=model,
        messages=as_messages(given, body.get("instructions")),
        stream=_flag(body, "stream"),
        background=_flag(body, "background"),
        previous=body.get("previous_response_id") or "",
    )


def as_messages(given: object, instructions: object) -> list[dict[str, Any]]:
    """Responses input as chat messages, for measuring alone: who says what; calls and reasoning say nothing."""
    found: list[dict[str, Any]] = []
    if isinstance(instructions, str):
        found.append({"role": "system", "content": instructions})
    if isinstance(given, str):
        return [*found, {"role": "user", "content": given}]
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict) and isinstance(item.get("role"), str):
            found.append({"role": item["role"], "content": item.get("content")})
        elif isinstance(item, dict) and item.get("type") == "function_call_output":
            found.append({"role": "tool", "content": item.get("output")})
    return found


def read_embeddings(body: dict[str, Any]) -> EmbeddingsRequest:
    """Check an embeddings body: a text, texts, a list of tokens, or such lists. Raises BadRequest naming the item."""
    model = read_model(body)
    given = body.get("input")
    if isinstance(given, str):
        items: list[Any] = [given]
    elif isinstance(given, list) and given and all(type(part) is int for part in given):
        items = [given]
    elif isinstance(given, list) and given:
        items = given
    else:
        raise BadRequest("input: give a text, a list of texts, or lists of tokens; not empty.", param="input")
    if len(items) > MAX_ITEMS:
        raise BadRequest(f"input: at most {MAX_ITEMS} items in one request, got {len(items)}.", param="input")
    for index, item in enumerate(items):
        _check_item("input" if items is not given else f"input[{index}]", item, type(items[0]))
    return EmbeddingsRequest(body=body, model=model, items=items)


def read_messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `messages` of a body. Raises BadRequest."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: give a list with at least one message.", param="messages")
    if not all(isinstance(message, dict) for message in messages):
        raise BadRequest("messages: each message must be an object with a role and content.", param="messages")
    return messages


def read_model(body: dict[str, Any]) -> str:
    """The `model` of a body. Raises BadRequest."""
    model = body.get("model")
    if model is None:
        raise BadRequest("model: missing. Name an alias such as auto, or a model id.", param="model")
    if not isinstance(model, str) or not model.strip() or len(model) > MAX_NAME:
        raise BadRequest(f"model: must be a text of 1 to {MAX_NAME} characters.", param="model")
    return model.strip()


def _check_item(place: str, item: object, kind: type) -> None:
    if not isinstance(item, str | list):
        raise BadRequest(f"{place}: must be a text or a list of token numbers.", param="input")
    if not item:
        raise BadRequest(f"{place}: an empty item has no vector. Leave it out.", param="input")
    if not isinstance(item, kind):
        raise BadRequest(f"{place}: texts and lists of tokens do not mix in one request.", param="input")
    if isinstance(item, list) and not all(type(part) is int and part >= 0 for part in item):
        raise BadRequest(f"{place}: must be a text or a list of token numbers.", param="input")


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name}: must be true or false.", param=name)
    return bool(value)
