"""Responses input items as chat messages, in the same order (openai-facts.md 2c). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iwrouting.errors import BadRequest
from iwrouting.upstream.translate.messages import CACHE, text
from iwrouting.upstream.translate.notes import Notes, malformed

Message = dict[str, Any]
ROLES = ("system", "developer", "user", "assistant")
ITEM = frozenset({"type", "role", "content", "id", "status", "phase"})
"""Members of a message item; ids and states of old items mean nothing to a stateless API."""


def untranslatable(
    param: str, next_step: str = "Leave it out, or ask a model that is served at /v1/responses."
) -> BadRequest:
    """400 for a field without an equivalent in chat."""
    return BadRequest(
        f"{param}: has no equivalent in chat completions, where this model is served. {next_step}",
        param=param,
        code="unsupported_parameter",
    )


class Conversation:
    """Collects the messages of one input; calls join the assistant's message before them."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.messages: list[Message] = []

    def add_all(self, given: object) -> list[Message]:
        """All items as messages. Raises BadRequest that names the item, part or member at fault."""
        if isinstance(given, str):
            self.messages.append({"role": "user", "content": given})
        elif isinstance(given, list) and given:
            for index, item in enumerate(given):
                self._add(item, f"input[{index}]")
        else:
            raise malformed("input", "a text or a list of items")
        return self.messages

    def _add(self, item: object, where: str) -> None:
        if not isinstance(item, dict):
            raise malformed(where, "an object")
        kind = item.get("type") or ("message" if "role" in item else None)
        adders: Mapping[str, Callable[[Message, str], None]] = {
            "message": self._message,
            "function_call": self._call,
            "function_call_output": self._output,
            "reasoning": self._reasoning,
        }
        if not isinstance(kind, str) or kind not in adders:
            raise untranslatable(f"{where}.type")
        adders[kind](item, where)

    def _message(self, item: Message, where: str) -> None:
        role = item.get("role")
        if role not in ROLES:
            raise malformed(f"{where}.role", ", ".join(ROLES))
        self.notes.extras(item, ITEM, "input")
        kinds = SAID if role == "assistant" else HEARD
        content = item.get("content")
        said = content if isinstance(content, str) else self._parts(content, f"{where}.content", kinds)
        last = self.messages[-1] if self.messages else {}
        if role == "assistant" and last.get("tool_calls"):
            # Chat wants the results right after the calls: what was said beside them joins their message.
            last["content"] = _joined(last["content"], said)
        else:
            self.messages.append({"role": role, "content": said})

    def _call(self, item: Message, where: str) -> None:
        call_id, name, arguments = (text(item.get(key), f"{where}.{key}") for key in ("call_id", "name", "arguments"))
        call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        last = self.messages[-1] if self.messages else {}
        if last.get("role") != "assistant":
            last = {"role": "assistant", "content": None}
            self.messages.append(last)
        last.setdefault("tool_calls", []).append(call)

    def _output(self, item: Message, where: str) -> None:
        call_id, output = text(item.get("call_id"), f"{where}.call_id"), item.get("output")
        content = output if isinstance(output, str) else self._parts(output, f"{where}.output", TOLD)
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _reasoning(self, item: Message, where: str) -> None:
        self.notes.add("dropped reasoning items")

    def _parts(
        self, content: object, where: str, kinds: Mapping[str, Callable[[Message, str], Message]]
    ) -> list[Message]:
        if not isinstance(content, list):
            raise malformed(where, "a text or a list of parts")
        return [self._part(part, f"{where}[{index}]", kinds) for index, part in enumerate(content)]

    def _part(self, part: object, where: str, kinds: Mapping[str, Callable[[Message, str], Message]]) -> Message:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise malformed(where, "an object with a type")
        if part["type"] not in kinds:
            raise untranslatable(f"{where}.type")
        kept = {} if part.get(CACHE) is None else {CACHE: part[CACHE]}
        return {**kinds[part["type"]](part, where), **kept}


def _joined(before: Any, said: Any) -> Any:
    if before is None:
        return said
    parts = [[{"type": "text", "text": each}] if isinstance(each, str) else each for each in (before, said)]
    return [*parts[0], *parts[1]]


def _text(part: Message, where: str) -> Message:
    return {"type": "text", "text": text(part.get("text"), f"{where}.text")}


def _refusal(part: Message, where: str) -> Message:
    return {"type": "refusal", "refusal": text(part.get("refusal"), f"{where}.refusal")}


def _image(part: Message, where: str) -> Message:
    if part.get("file_id") is not None:
        raise untranslatable(f"{where}.file_id", "Give the image as image_url.")
    image = {"url": text(part.get("image_url"), f"{where}.image_url"), "detail": part.get("detail") or "auto"}
    return {"type": "image_url", "image_url": image}


def _file(part: Message, where: str) -> Message:
    if part.get("file_url") is not None:
        raise untranslatable(f"{where}.file_url", "Give the file as file_data or file_id.")
    names = ("file_data", "file_id", "filename")
    return {"type": "file", "file": {name: part[name] for name in names if part.get(name) is not None}}


SAID: Mapping[str, Callable[[Message, str], Message]] = {"output_text": _text, "refusal": _refusal}
HEARD: Mapping[str, Callable[[Message, str], Message]] = {
    "input_text": _text,
    "input_image": _image,
    "input_file": _file,
}
TOLD: Mapping[str, Callable[[Message, str], Message]] = {"input_text": _text}
"""Chat takes a tool's result as text alone."""
