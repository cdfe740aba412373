"""The tokens of a request's input: messages, tools, items, vectors' inputs (openai-facts.md 7).

The constants were published for the models of the 4o generation; on later ones a count is right to a few percent.
Reported usage is never replaced by a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from iwrouting.tokens.encodings import count_text, encoding_of
from iwrouting.tokens.estimates import estimate

MESSAGE, NAME, PRIMING = 3, 1, 3
FUNCTION, PROPERTIES, PROPERTY, ENUM, ENUM_ITEM, TOOLS = 7, 3, 3, -3, 3, 12

IMAGE, IMAGE_LOW = 1_445, 85
"""What is set aside for an image: 4o's price of the most tiles (8 of 170, and 85), and of one at low detail."""

FILE, AUDIO = 10_000, 2_000
"""What is set aside for a file and for a piece of audio: neither can be counted without opening it."""

RESERVES = {
    "image_url": IMAGE,
    "input_image": IMAGE,
    "file": FILE,
    "input_file": FILE,
    "input_audio": AUDIO,
    "computer_screenshot": IMAGE,
    "image_generation_call": IMAGE,
}
UNREAD = frozenset({"type", "id", "status", "call_id", "tool_call_id"})
"""Fields of messages and items that are no input of the model."""

SOURCE_KNOWN, SOURCE_GUESS = "tiktoken", "tiktoken_guess"


@dataclass(frozen=True, slots=True)
class Count:
    """`tokens` is what was counted, `reserve` what is set aside for images, audio and files.

    `source` is `tiktoken`, or `tiktoken_guess` for a model whose encoding tiktoken does not know.
    """

    tokens: int
    reserve: int
    source: str

    @property
    def total(self) -> int:
        """Both together: what a cap or a budget is held against."""
        return self.tokens + self.reserve


@dataclass(slots=True)
class Tally:
    """A count on its way."""

    encoding: str
    known: bool
    tokens: int = 0
    reserve: int = 0
    _seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: str) -> Tally:
        """An empty one, for a model."""
        return cls(*encoding_of(model))

    def text(self, text: str) -> None:
        """Add a text."""
        if len(text) > 32:
            self.tokens += count_text(text, self.encoding)
            return
        if text not in self._seen:
            self._seen[text] = count_text(text, self.encoding)
        self.tokens += self._seen[text]

    def value(self, value: object) -> None:
        """Add a text as it is, nothing for nothing, and any other value as the JSON that the model reads."""
        if isinstance(value, str):
            self.text(value)
        elif value is not None:
            self.text(orjson.dumps(value).decode())

    def done(self) -> Count:
        """The count."""
        return Count(self.tokens, self.reserve, SOURCE_KNOWN if self.known else SOURCE_GUESS)


def count_chat(body: Mapping[str, Any], model: str) -> Count:
    """The input of a chat completion: its messages, tools and answer's schema."""
    tally = Tally.of(model)
    tally.tokens += PRIMING
    for message in body["messages"]:
        _message(tally, message)
    _tools(tally, body.get("tools"))
    _tools(tally, body.get("functions"))
    _schema(tally, body.get("response_format"))
    return tally.done()


def count_responses(body: Mapping[str, Any], model: str) -> Count:
    """The input of a Responses request: instructions, items, tools and answer's schema. What an earlier response
    holds is the provider's knowledge: it is not counted."""
    tally = Tally.of(model)
    tally.tokens += PRIMING
    given = body.get("input")
    items: Sequence[Any] = given if isinstance(given, list) else [{"role": "user", "content": given}]
    if body.get("instructions") is not None:
        items = [{"role": "system", "content": body["instructions"]}, *items]
    for item in items:
        _message(tally, item)
    _tools(tally, body.get("tools"))
    text = body.get("text")
    _schema(tally, text.get("format") if isinstance(text, dict) else None)
    return tally.done()


def count_embeddings(items: Sequence[Any], model: str) -> Count:
    """All inputs of an embeddings request: texts, and lists of tokens as long as they are."""
    tally = Tally.of(model)
    for item in items:
        if isinstance(item, str):
            tally.text(item)
        else:
            tally.tokens += len(item)
    return tally.done()


def _message(tally: Tally, message: object) -> None:
    """A message, or any other item: 3, and every value that the model reads."""
    tally.tokens += MESSAGE
    if not isinstance(message, dict):
        tally.value(message)
        return
    if reserve := _reserve(message):
        tally.reserve += reserve
        return
    for key, value in message.items():
        if key in ("content", "output"):
            _content(tally, value)
        elif key == "name" and value is not None:
            tally.tokens += NAME
            tally.value(value)
        elif key == "tool_calls" and isinstance(value, list):
            for call in value:
                _call(tally, call)
        elif key == "encrypted_content" and isinstance(value, str):
            tally.reserve += estimate(len(value))
        elif key not in UNREAD:
            tally.value(value)


def _content(tally: Tally, content: object) -> None:
    for part in content if isinstance(content, list) else [content]:
        if not isinstance(part, dict):
            tally.value(part)
        elif reserve := _reserve(part):
            tally.reserve += reserve
        else:
            for key, value in part.items():
                if key != "type":
                    tally.value(value)


def _reserve(part: Mapping[str, Any]) -> int:
    """What is set aside for a part or an item that can't be counted; 0 for one that can."""
    kind = part.get("type")
    reserve = RESERVES.get(kind, 0) if isinstance(kind, str) else 0
    image = part.get("image_url")
    detail = image.get("detail") if isinstance(image, dict) else part.get("detail")
    return IMAGE_LOW if reserve == IMAGE and detail == "low" else reserve


def _call(tally: Tally, call: object) -> None:
    """A tool call of an earlier answer: as a message of its own, and what it says."""
    tally.tokens += MESSAGE
    said = call.get("function") or call.get("custom") if isinstance(call, dict) else call
    if not isinstance(said, dict):
        tally.value(said)
        return
    for value in said.values():
        tally.value(value)


def _tools(tally: Tally, tools: object) -> None:
    if not isinstance(tools, list) or not tools:
        return
    tally.tokens += TOOLS
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, dict) else tool
        if isinstance(function, dict) and "name" in function:
            _function(tally, function)
        else:
            tally.value(tool)


def _function(tally: Tally, function: Mapping[str, Any]) -> None:
    tally.tokens += FUNCTION
    tally.text(f"{function['name']}:{_sentence(function)}")
    schema = function.get("parameters", function.get("format"))
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        tally.value(schema or None)
    elif properties:
        tally.tokens += PROPERTIES
        for name, facts in properties.items():
            _property(tally, name, facts if isinstance(facts, dict) else {})


def _property(tally: Tally, name: str, facts: Mapping[str, Any]) -> None:
    """A parameter. What it holds itself, which the published rule passes over, counts as its JSON."""
    tally.tokens += PROPERTY
    tally.text(f"{name}:{facts.get('type', '')}:{_sentence(facts)}")
    options = facts.get("enum")
    if isinstance(options, list) and options:
        tally.tokens += ENUM
        for option in options:
            tally.tokens += ENUM_ITEM
            tally.value(option)
    for key, value in facts.items():
        if key not in ("type", "description", "enum") and isinstance(value, dict | list):
            tally.value(value)


def _sentence(facts: Mapping[str, Any]) -> str:
    """A description without its final dot."""
    text = facts.get("description")
    return text.removesuffix(".") if isinstance(text, str) else ""


def _schema(tally: Tally, wanted: object) -> None:
    """The JSON schema that the answer is to keep to."""
    if isinstance(wanted, dict):
        tally.value(wanted.get("json_schema") or wanted.get("schema"))
