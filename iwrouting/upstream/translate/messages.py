"""Chat messages as the items of a Responses input, in the same order (openai-facts.md 2a). Pure.

Item ids are never replayed, nor is reasoning: a stateless history sends calls and their outputs alone (2e).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from iwrouting.upstream.translate.notes import Notes, malformed, untranslatable

Item = dict[str, Any]
CHAT_ONLY = "Ask a model that is served at /v1/chat/completions."
CACHE = "prompt_cache_breakpoint"

SPOKEN = frozenset({"role", "content"})
SAID = SPOKEN | {"tool_calls", "function_call", "refusal", "audio"}
ECHOED = frozenset({"annotations", "reasoning_content", "reasoning"})
"""What a client sends back of an earlier answer and no provider reads: told, and never refused."""
ANSWERED = SPOKEN | {"tool_call_id"}
FILE = ("file_data", "file_id", "filename")


class Transcript:
    """Translates the messages of one request. `old_calls` are calls of the `functions` era that wait for an answer."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.old_calls: list[tuple[str, str]] = []
        self._minted = 0

    def items(self, messages: object) -> list[Item]:
        """All messages as items. Raises BadRequest that names the message, part or member at fault."""
        if not isinstance(messages, list) or not messages:
            raise malformed("messages", "a list with at least one message")
        return [item for index, message in enumerate(messages) for item in self._of(message, f"messages[{index}]")]

    def _of(self, message: object, where: str) -> Iterator[Item]:
        if not isinstance(message, dict):
            raise malformed(where, "an object with a role and content")
        role = message.get("role")
        if role in ("system", "developer", "user"):
            return self._spoken(message, where)
        by_role: dict[object, Callable[[Item, str], Iterator[Item]]] = {
            "assistant": self._assistant,
            "tool": self._tool,
            "function": self._function,
        }
        translate = by_role.get(role) if isinstance(role, str) else None
        if translate is None:
            raise malformed(f"{where}.role", "system, developer, user, assistant or tool")
        return translate(message, where)

    def _spoken(self, message: Item, where: str) -> Iterator[Item]:
        self.notes.extras(message, SPOKEN, "messages")
        content = message.get("content")
        if not isinstance(content, str):
            content = self._parts(content, f"{where}.content", INPUT)
        yield {"type": "message", "role": message["role"], "content": content}

    def _assistant(self, message: Item, where: str) -> Iterator[Item]:
        self.notes.extras(message, SAID | ECHOED, "messages")
        for name in ECHOED:
            if message.get(name):
                self.notes.add(f"dropped messages.{name}")
        if message.get("audio") is not None:
            raise untranslatable(f"{where}.audio", CHAT_ONLY)
        said = self._said(message, where)
        calls = [*self._calls(message.get("tool_calls"), f"{where}.tool_calls"), *self._old_call(message, where)]
        if said or not calls:
            yield {"type": "message", "role": "assistant", "content": said}
        yield from calls

    def _said(self, message: Item, where: str) -> list[Item]:
        """The output parts of an assistant's message; none where it only called."""
        content, refusal = message.get("content"), message.get("refusal")
        called = message.get("tool_calls") or message.get("function_call")
        if isinstance(content, str):
            parts = [] if called and not content else [output_text(content)]
        elif content is None and (called or refusal is not None):
            parts = []
        else:
            parts = self._parts(content, f"{where}.content", OUTPUT)
        if refusal is not None:
            parts.append({"type": "refusal", "refusal": text(refusal, f"{where}.refusal")})
        return parts

    def _calls(self, calls: object, where: str) -> Iterator[Item]:
        if calls is None:
            return
        if not isinstance(calls, list):
            raise malformed(where, "a list of tool calls")
        for index, call in enumerate(calls):
            yield self._call(call, f"{where}[{index}]")

    def _call(self, call: object, where: str) -> Item:
        if not isinstance(call, dict):
            raise malformed(where, "an object with id and function")
        if call.get("type") not in (None, "function"):
            raise untranslatable(f"{where}.type", CHAT_ONLY)
        self.notes.extras(call, ("id", "type", "function", "index"), "messages.tool_calls")
        return function_call(text(call.get("id"), f"{where}.id"), call.get("function"), f"{where}.function")

    def _old_call(self, message: Item, where: str) -> Iterator[Item]:
        """A call of the `functions` era has no id: it gets one, for the function message that answers it."""
        if message.get("function_call") is None:
            return
        self._minted += 1
        call_id = f"call_function_{self._minted}"
        item = function_call(call_id, message["function_call"], f"{where}.function_call")
        self.old_calls.append((item["name"], call_id))
        yield item

    def _tool(self, message: Item, where: str) -> Iterator[Item]:
        self.notes.extras(message, ANSWERED, "messages")
        call_id = text(message.get("tool_call_id"), f"{where}.tool_call_id")
        yield self._output(call_id, message.get("content"), where)

    def _function(self, message: Item, where: str) -> Iterator[Item]:
        name = text(message.get("name"), f"{where}.name")
        self.notes.extras(message, SPOKEN | {"name"}, "messages")
        waiting = next((each for each in reversed(self.old_calls) if each[0] == name), None)
        if waiting is None:
            raise malformed(f"{where}.name", "the name of a function_call before it")
        self.old_calls.remove(waiting)
        content = message.get("content")
        yield self._output(waiting[1], "" if content is None else content, where)

    def _output(self, call_id: str, content: object, where: str) -> Item:
        output = content if isinstance(content, str) else self._parts(content, f"{where}.content", INPUT)
        return {"type": "function_call_output", "call_id": call_id, "output": output}

    def _parts(self, content: object, where: str, kinds: Mapping[str, Callable[[Item, str], Item]]) -> list[Item]:
        if not isinstance(content, list):
            raise malformed(where, "a text or a list of parts")
        return [self._part(part, f"{where}[{index}]", kinds) for index, part in enumerate(content)]

    def _part(self, part: object, where: str, kinds: Mapping[str, Callable[[Item, str], Item]]) -> Item:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise malformed(where, "an object with a type")
        kind: str = part["type"]
        if kind == "input_audio":
            raise untranslatable(f"{where}.input_audio", "Ask a model that takes audio at /v1/chat/completions.")
        if kind not in kinds:
            raise malformed(f"{where}.type", " or ".join(kinds))
        self.notes.extras(part, ("type", kind, CACHE), "messages.content")
        kept = {} if part.get(CACHE) is None else {CACHE: part[CACHE]}
        return {**kinds[kind](part, where), **kept}


def input_text(part: Item, where: str) -> Item:
    """A text that the model reads."""
    return {"type": "input_text", "text": text(part.get("text"), f"{where}.text")}


def input_image(part: Item, where: str) -> Item:
    """An image: chat's object becomes an address and a detail."""
    image = part.get("image_url")
    if not isinstance(image, dict):
        raise malformed(f"{where}.image_url", "an object with a url")
    detail = image.get("detail") or "auto"
    return {"type": "input_image", "image_url": text(image.get("url"), f"{where}.image_url.url"), "detail": detail}


def input_file(part: Item, where: str) -> Item:
    """A file, its members flat."""
    file = part.get("file")
    if not isinstance(file, dict):
        raise malformed(f"{where}.file", "an object")
    return {"type": "input_file", **{name: file[name] for name in FILE if file.get(name) is not None}}


def output_text(said: str) -> Item:
    """A text that the model said: under an assistant, input_text would be refused (2a)."""
    return {"type": "output_text", "text": said}


def function_call(call_id: str, function: object, where: str) -> Item:
    """A call; `call_id` is what joins it with its output."""
    if not isinstance(function, dict):
        raise malformed(where, "an object with name and arguments")
    name = text(function.get("name"), f"{where}.name")
    arguments = text(function.get("arguments"), f"{where}.arguments")
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def text(value: object, where: str) -> str:
    """A member that must be a text. Raises BadRequest that names it."""
    if not isinstance(value, str):
        raise malformed(where, "a text")
    return value


INPUT: Mapping[str, Callable[[Item, str], Item]] = {
    "text": input_text,
    "image_url": input_image,
    "file": input_file,
}
OUTPUT: Mapping[str, Callable[[Item, str], Item]] = {
    "text": lambda part, where: output_text(text(part.get("text"), f"{where}.text")),
    "refusal": lambda part, where: {"type": "refusal", "refusal": text(part.get("refusal"), f"{where}.refusal")},
}
