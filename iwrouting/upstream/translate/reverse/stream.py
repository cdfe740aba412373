"""A chat stream as Responses events, chunk by chunk (openai-facts.md 2c). Pure.

The terminal event waits for `end`: usage comes after the finish reason, and only the terminal marker says that no
more will come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from iwrouting.types import Usage
from iwrouting.upstream.failures import Failure, in_band
from iwrouting.upstream.translate.pieces import Json, probabilities, responses_moderation, tail
from iwrouting.upstream.translate.reverse.result import Echo, output_text, responses_usage_of, state_of
from iwrouting.upstream.translate.wire import dumps
from iwrouting.upstream.usage import read_usage

TEXT = {"output_text": "text", "refusal": "refusal"}
"""The member that holds the text of a content part."""


@dataclass(slots=True)
class Part:
    """A text that grows: `output_text`, `refusal` or `arguments`. Kept in pieces, so that a long one costs no more."""

    kind: str
    pieces: list[str] = field(default_factory=list)
    logprobs: list[Json] = field(default_factory=list)

    def whole(self) -> Json:
        """The content part."""
        text = "".join(self.pieces)
        return (
            output_text(text, self.logprobs, [])
            if self.kind == "output_text"
            else {"type": self.kind, TEXT[self.kind]: text}
        )


@dataclass(slots=True)
class Open:
    """An output item that grows: a message with its parts, or a call with one part, its arguments."""

    at: int
    call: dict[str, str] | None = None
    parts: list[Part] = field(default_factory=list)

    def item(self, echo: Echo, status: str) -> Json:
        """The item as it is now."""
        if self.call is not None:
            return echo.call({**self.call, "arguments": "".join(self.parts[0].pieces)}, status, self.at)
        return echo.message([part.whole() for part in self.parts], status, self.at)


@dataclass(slots=True)
class ChatStream:
    """Translates the chunks of one stream; only choice 0 counts.

    `output`: something was sent that ends the time in which another model may answer. `finish_reason` is empty until
    the choice ended: `end` then makes the answer whole. `number` is the sequence number of the next event.
    """

    echo: Echo
    model: str = ""
    output: bool = False
    failure: Failure | None = None
    usage: Usage | None = None
    finish_reason: str = ""
    number: int = 0
    _begun: bool = False
    _items: list[Open] = field(default_factory=list)
    _message: Open | None = None
    _calls: dict[int, Open] = field(default_factory=dict)
    _tail: Json = field(default_factory=dict)
    _usage: Json | None = None

    def feed(self, chunk: Mapping[str, Any]) -> bytes:
        """The event frames that one chunk becomes. After a failure everything is ignored."""
        if self.failure is not None:
            return b""
        if chunk.get("error"):
            error = chunk["error"]
            self.failure = in_band(error if isinstance(error, dict) else {"message": error})
            return b""
        return b"".join(self._frames(self._chunk(chunk)))

    def end(self) -> bytes:
        """The last events, whole or incomplete as the finish reason says. Only for a choice that has one."""
        status, details = state_of(self.finish_reason)
        return b"".join(self._frames(self._ending(status, details)))

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[Json]:
        if isinstance(chunk.get("model"), str):
            self.model = self.model or chunk["model"]
        self._tail |= tail(chunk, responses_moderation)
        self._usage = responses_usage_of(chunk) or self._usage
        # The tail holds the service tier, which earlier chunks alone may have named.
        self.usage = read_usage({**chunk, **self._tail}) or self.usage
        yield from self._opening()
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                yield from self._choice(choice)

    def _opening(self) -> Iterator[Json]:
        if not self._begun:
            self._begun = True
            started = self.echo.response("in_progress", [], self.model)
            yield {"type": "response.created", "response": started}
            yield {"type": "response.in_progress", "response": started}

    def _choice(self, choice: Json) -> Iterator[Json]:
        delta = choice.get("delta")
        given: Json = delta if isinstance(delta, dict) else {}
        logprobs = choice.get("logprobs")
        found = probabilities(logprobs.get("content") if isinstance(logprobs, dict) else None)
        yield from self._text("output_text", given.get("content"), found)
        yield from self._text("refusal", given.get("refusal"), [])
        calls = given.get("tool_calls")
        for part in calls if isinstance(calls, list) else ():
            if isinstance(part, dict):
                yield from self._call(part)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = reason
            self.output = True

    def _text(self, kind: str, text: object, logprobs: list[Json]) -> Iterator[Json]:
        if not isinstance(text, str) or not text:
            return
        self.output = True
        message = self._message
        if message is None:
            message = self._message = self._open(Open(len(self._items)))
            yield self._added(message)
        if not message.parts or message.parts[-1].kind != kind:
            message.parts.append(Part(kind))
            yield {"type": "response.content_part.added", **self._place(message), "part": message.parts[-1].whole()}
        message.parts[-1].pieces.append(text)
        message.parts[-1].logprobs += logprobs
        told: Json = {"logprobs": logprobs} if kind == "output_text" else {}
        yield {"type": f"response.{kind}.delta", **self._place(message), "delta": text, **told}

    def _call(self, part: Json) -> Iterator[Json]:
        given = part.get("function")
        function: Json = given if isinstance(given, dict) else {}
        index = part.get("index")
        at = index if type(index) is int else 0
        if at not in self._calls:
            call = {"call_id": str(part.get("id") or ""), "name": str(function.get("name") or "")}
            self._message = None
            self._calls[at] = self._open(Open(len(self._items), call, [Part("arguments")]))
            self.output = True
            yield self._added(self._calls[at])
        arguments, opened = function.get("arguments"), self._calls[at]
        if isinstance(arguments, str) and arguments:
            opened.parts[0].pieces.append(arguments)
            yield {"type": "response.function_call_arguments.delta", **self._where(opened), "delta": arguments}

    def _ending(self, status: str, details: Json | None) -> Iterator[Json]:
        yield from self._opening()
        for each in self._items:
            yield from self._closing(each, status)
        output = [each.item(self.echo, status) for each in self._items]
        response = self.echo.response(
            status, output, self.model, incomplete_details=details, usage=self._usage, **self._tail
        )
        yield {"type": f"response.{status}", "response": response}

    def _closing(self, opened: Open, status: str) -> Iterator[Json]:
        where = self._where(opened)
        item = opened.item(self.echo, status)
        for index, part in enumerate(item.get("content", ())):
            told = {name: value for name, value in part.items() if name in ("text", "logprobs", "refusal")}
            yield {"type": f"response.{part['type']}.done", **where, "content_index": index, **told}
            yield {"type": "response.content_part.done", **where, "content_index": index, "part": part}
        if opened.call is not None:
            named = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done", **where, **named}
        yield {"type": "response.output_item.done", "output_index": opened.at, "item": item}

    def _open(self, opened: Open) -> Open:
        self._items.append(opened)
        return opened

    def _added(self, opened: Open) -> Json:
        item = opened.item(self.echo, "in_progress")
        return {"type": "response.output_item.added", "output_index": opened.at, "item": item}

    def _where(self, opened: Open) -> Json:
        return {
            "item_id": self.echo.item_id("msg" if opened.call is None else "fc", opened.at),
            "output_index": opened.at,
        }

    def _place(self, opened: Open) -> Json:
        return {**self._where(opened), "content_index": len(opened.parts) - 1}

    def _frames(self, events: Iterator[Json]) -> Iterator[bytes]:
        for event in events:
            numbered = {**event, "sequence_number": self.number}
            self.number += 1
            yield b"event: " + str(event["type"]).encode() + b"\ndata: " + dumps(numbered) + b"\n\n"
