"""A Responses stream as chat chunks, event by event (openai-facts.md 2d). Pure.

Nothing is sent twice and nothing is lost: what came in deltas is not repeated, and what came only whole, in a `.done`
event or in the terminal one, is sent then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from iwrouting.types import Usage
from iwrouting.upstream.failures import BAD_ANSWER, Failure, bad_answer, in_band
from iwrouting.upstream.translate.pieces import (
    Json,
    chat_moderation,
    chat_usage,
    failure_of,
    finish_reason,
    probabilities,
    responses_usage,
    tail,
)
from iwrouting.upstream.translate.result import created_at, parts_of, tool_call
from iwrouting.upstream.translate.wire import frame_of

KEEPALIVE = b": keepalive\n\n"
TERMINALS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
TEXT = {"output_text": ("text", "content"), "refusal": ("refusal", "refusal")}
"""Kinds of content part: the member that holds the text, and the member of a chat delta that takes it."""


@dataclass(slots=True)
class Call:
    """A tool call that was opened in the chat stream. `index` counts tool calls alone, not output items."""

    index: int
    has_arguments: bool = False


@dataclass(slots=True)
class ResponsesStream:
    """Translates the events of one stream. `chat_id` and `created` are those of every chunk.

    `include_usage`: the caller asked for the usage chunk. `output`: something was sent that ends the time in which
    another model may answer. `finished`: the terminal event came; `failure`: it, or an error event, said why there
    is no answer. No terminal marker is sent: that is for whoever stores the outcome.
    """

    chat_id: str
    created: int = 0
    model: str = ""
    include_usage: bool = False
    output: bool = False
    finished: bool = False
    failure: Failure | None = None
    usage: Usage | None = None
    finish_reason: str = ""
    response_id: str = ""
    _opened: bool = False
    _tier: Json = field(default_factory=dict)
    _items: dict[str, int] = field(default_factory=dict)
    _sent: set[tuple[int, int]] = field(default_factory=set)
    _calls: dict[int, Call] = field(default_factory=dict)
    _by_id: dict[str, Call] = field(default_factory=dict)
    _frames: list[bytes] = field(default_factory=list)

    def feed(self, event: Mapping[str, Any]) -> bytes:
        """The chat frames that one event becomes; often none. After the end everything is ignored."""
        if self.finished or self.failure is not None:
            return b""
        kind = event.get("type")
        handler = HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            handler(self, event)
        elif isinstance(event.get("error"), dict):
            self.failure = in_band(event["error"])
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames

    def _begin(self, event: Mapping[str, Any]) -> None:
        """The opening events: what the chunks' heads need."""
        response = event.get("response")
        if not isinstance(response, dict) or self._opened:
            return
        self.created = created_at(response, self.created)
        self._identify(response)

    def _identify(self, response: Json) -> None:
        self._tier = tail(response, chat_moderation)
        if isinstance(response.get("id"), str):
            self.response_id = response["id"]
        if isinstance(response.get("model"), str):
            self.model = response["model"]

    def _error(self, event: Mapping[str, Any]) -> None:
        """An error event in either form: its members at the top, or in an object."""
        nested = event.get("error")
        flat = {name: event.get(name) for name in ("code", "message", "param")}
        self.failure = in_band(nested if isinstance(nested, dict) else flat)

    def _keepalive(self, event: Mapping[str, Any]) -> None:
        self._frames.append(KEEPALIVE)

    def _item_added(self, event: Mapping[str, Any]) -> None:
        item = event.get("item")
        if isinstance(item, dict):
            at = self._at(event, item.get("id"))
            if item.get("type") == "message":
                self._role("")
            elif item.get("type") == "function_call":
                self._open_call(at, item)

    def _item_done(self, event: Mapping[str, Any]) -> None:
        item = event.get("item")
        if isinstance(item, dict):
            self._whole_item(self._at(event, item.get("id")), item)

    def _part_added(self, event: Mapping[str, Any]) -> None:
        self._role("")

    def _part_done(self, event: Mapping[str, Any]) -> None:
        part = event.get("part")
        if isinstance(part, dict):
            self._whole_part(self._at(event), _number(event.get("content_index")), part)

    def _text_delta(self, event: Mapping[str, Any]) -> None:
        self._text(event, "content", event.get("delta"))

    def _text_done(self, event: Mapping[str, Any]) -> None:
        self._text(event, "content", event.get("text"), whole=True)

    def _refusal_delta(self, event: Mapping[str, Any]) -> None:
        self._text(event, "refusal", event.get("delta"))

    def _refusal_done(self, event: Mapping[str, Any]) -> None:
        self._text(event, "refusal", event.get("refusal"), whole=True)

    def _arguments_delta(self, event: Mapping[str, Any]) -> None:
        self._arguments(self._calls.get(self._at(event)), event.get("delta"))

    def _arguments_done(self, event: Mapping[str, Any]) -> None:
        self._arguments(self._calls.get(self._at(event)), event.get("arguments"), whole=True)

    def _terminal(self, event: Mapping[str, Any]) -> None:
        given = event.get("response")
        response: Json = given if isinstance(given, dict) else {}
        kind = str(event["type"]).removeprefix("response.")
        # An event that says "completed" of a response that says otherwise is not believed.
        response = {**response, "status": response.get("status") or kind if kind == "completed" else kind}
        ending = failure_of(response)
        self.failure = bad_answer("truncated") if ending is not None and ending.type == BAD_ANSWER else ending
        self._tier = {**self._tier, **tail(response, chat_moderation)}
        self.usage = responses_usage(response)
        if self.failure is None:
            self._finish(response)

    def _finish(self, response: Json) -> None:
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                self._left_over(index, item)
        self._role()
        self.finish_reason = finish_reason(response, called=bool(self._by_id))
        self._choice({}, finish=self.finish_reason)
        self.finished = True
        usage = chat_usage(response)
        if self.include_usage and usage is not None:
            self._chunk([], usage)

    def _left_over(self, index: int, item: Json) -> None:
        """Send an item of the terminal event that no event before it told. Its place there may be another one."""
        known = self._items.get(str(item.get("id")))
        if known is not None:
            self._whole_item(known, item)
        elif item.get("type") != "message" or not self._sent:
            self._whole_item(index, item)

    def _whole_item(self, at: int, item: Json) -> None:
        """Send what of a whole item was not sent in pieces."""
        if item.get("type") == "message":
            for index, part in enumerate(parts_of(item)):
                self._whole_part(at, index, part)
        elif item.get("type") == "function_call":
            self._arguments(self._open_call(at, item), item.get("arguments"), whole=True)

    def _whole_part(self, at: int, index: int, part: Json) -> None:
        kind = part.get("type")
        if kind in ("output_text", "refusal"):
            member, target = TEXT[kind]
            self._send_text((at, index), target, part.get(member), part.get("logprobs"), whole=True)

    def _text(self, event: Mapping[str, Any], target: str, text: object, *, whole: bool = False) -> None:
        place = (self._at(event), _number(event.get("content_index")))
        self._send_text(place, target, text, event.get("logprobs"), whole=whole)

    def _send_text(
        self, place: tuple[int, int], target: str, text: object, logprobs: object, *, whole: bool = False
    ) -> None:
        if not isinstance(text, str) or not text or (whole and place in self._sent):
            return
        self._sent.add(place)
        self._role("" if target == "content" else None)
        found = probabilities(logprobs)
        self._choice({target: text}, logprobs={"content": found, "refusal": None} if found else None)
        self.output = True

    def _open_call(self, at: int, item: Json) -> Call | None:
        """The call of an item, opened if it was not yet; None as long as its id or name is missing."""
        opened = tool_call({**item, "arguments": ""})
        if opened is None:
            return self._calls.get(at)
        if (known := self._by_id.get(opened["id"])) is not None:
            return known
        self._role()
        call = self._calls[at] = self._by_id[opened["id"]] = Call(len(self._by_id))
        self._choice({"tool_calls": [{"index": call.index, **opened}]})
        self.output = True
        return call

    def _arguments(self, call: Call | None, text: object, *, whole: bool = False) -> None:
        if call is None or not isinstance(text, str) or not text or (whole and call.has_arguments):
            return
        call.has_arguments = True
        self._choice({"tool_calls": [{"index": call.index, "function": {"arguments": text}}]})

    def _at(self, event: Mapping[str, Any], item_id: object = None) -> int:
        """Where among the output items an event belongs: by its index, else by the item's id in order of coming."""
        index = event.get("output_index")
        name = str(event.get("item_id") if item_id is None else item_id)
        if type(index) is int:
            self._items[name] = index
            return index
        return self._items.setdefault(name, len(self._items))

    def _role(self, content: str | None = None) -> None:
        """The first chunk, before anything else is sent; not output: until there is some, another model may answer."""
        if not self._opened:
            self._opened = True
            self._choice({"role": "assistant", "content": content, "refusal": None})

    def _choice(self, delta: Json, *, logprobs: Json | None = None, finish: str | None = None) -> None:
        self.output = self.output or finish is not None
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        self._chunk([choice], None)

    def _chunk(self, choices: list[Json], usage: Json | None) -> None:
        chunk: Json = {
            "id": self.chat_id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **self._tier,
        }
        self._frames.append(frame_of({**chunk, "usage": usage} if self.include_usage else chunk))


def _number(value: object) -> int:
    return value if type(value) is int else 0


HANDLERS: Mapping[str, Callable[[ResponsesStream, Mapping[str, Any]], None]] = {
    "response.created": ResponsesStream._begin,
    "response.queued": ResponsesStream._begin,
    "response.in_progress": ResponsesStream._begin,
    "response.output_item.added": ResponsesStream._item_added,
    "response.output_item.done": ResponsesStream._item_done,
    "response.content_part.added": ResponsesStream._part_added,
    "response.content_part.done": ResponsesStream._part_done,
    "response.output_text.delta": ResponsesStream._text_delta,
    "response.output_text.done": ResponsesStream._text_done,
    "response.refusal.delta": ResponsesStream._refusal_delta,
    "response.refusal.done": ResponsesStream._refusal_done,
    "response.function_call_arguments.delta": ResponsesStream._arguments_delta,
    "response.function_call_arguments.done": ResponsesStream._arguments_done,
    "keepalive": ResponsesStream._keepalive,
    "error": ResponsesStream._error,
    **dict.fromkeys(TERMINALS, ResponsesStream._terminal),
}
"""Every event that matters; reasoning, hosted tools and events that do not exist yet become nothing."""
