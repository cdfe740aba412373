"""A stream that came where a whole answer was asked for, as that answer (faults.md U20). Pure; nothing is invented.

What can't be joined without a guess is no answer: tool-call deltas without an index, two calls under one index, an
event that can't be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from iwrouting.upstream.failures import Failure, bad_answer, in_band
from iwrouting.upstream.sse import FrameSplitter, FrameTooLarge, StreamScanner
from iwrouting.upstream.synthesise import HEAD
from iwrouting.upstream.translate.stream import TERMINALS
from iwrouting.upstream.translate.wire import event_of

Json = dict[str, Any]
IN_PIECES = frozenset(
    {"content", "refusal", "reasoning_content", "reasoning", "arguments", "input", "data", "transcript"}
)
"""Texts that come piece by piece; any other comes once, or again and the same."""


class CannotFold(ValueError):
    """The pieces do not say how they belong together."""


@dataclass(slots=True)
class Choice:
    """One choice while its deltas come in."""

    message: Json = field(default_factory=dict)
    calls: dict[int, Json] = field(default_factory=dict)
    logprobs: Json | None = None
    finish_reason: str | None = None

    def add(self, choice: Json) -> None:
        """Join what a chunk says of this choice. Raises CannotFold."""
        delta = choice.get("delta") or {}
        if not isinstance(delta, dict):
            raise CannotFold
        for name, value in delta.items():
            if name == "tool_calls":
                self._add_calls(value or [])
            else:
                self.message[name] = merged(name, self.message.get(name), value)
        self.logprobs = merged("logprobs", self.logprobs, choice.get("logprobs"))
        if isinstance(choice.get("finish_reason"), str):
            self.finish_reason = choice["finish_reason"]

    def as_dict(self, index: int) -> Json:
        """The choice of the completion."""
        message = {"role": "assistant", "content": None, "refusal": None, **self.message}
        if self.calls:
            message["tool_calls"] = [self.calls[at] for at in sorted(self.calls)]
        finish = self.finish_reason
        return {"index": index, "message": message, "logprobs": self.logprobs, "finish_reason": finish}

    def _add_calls(self, deltas: object) -> None:
        for delta in objects(deltas):
            index = delta.pop("index", None)
            if type(index) is not int:
                raise CannotFold
            self.calls[index] = merged("tool_calls", self.calls.get(index), delta)


def fold_chat(body: bytes, choices: int) -> Json | Failure:
    """The completion that a chat stream tells; a Failure for one that is not whole or can't be joined.

    `choices` is how many were asked for (`n`).
    """
    scanner = StreamScanner(choices=choices, keep_usage=True)
    completion: Json = {"object": "chat.completion"}
    found: dict[int, Choice] = {}
    try:
        for frame, event in events_of(body):
            scanner.take(frame)
            if scanner.failure is not None:
                return scanner.failure
            _add_event(completion, found, event)
    except (ValueError, FrameTooLarge):
        return bad_answer("mode_mismatch", 200)
    if not scanner.whole:
        return bad_answer("truncated", 200)
    return {**completion, "choices": [found[index].as_dict(index) for index in sorted(found)]}


def fold_responses(body: bytes) -> Json | Failure:
    """The response that a Responses stream ends with: its terminal event has all of it."""
    try:
        for _, event in events_of(body):
            if event.get("type") == "error":
                error = event.get("error")
                return in_band(error if isinstance(error, dict) else event)
            if event.get("type") in TERMINALS and isinstance(event.get("response"), dict):
                return dict(event["response"])
    except (ValueError, FrameTooLarge):
        return bad_answer("mode_mismatch", 200)
    return bad_answer("truncated", 200)


def events_of(body: bytes) -> Iterator[tuple[bytes, Json]]:
    """The frames that hold an event, with it. Raises ValueError for one that can't be read, and FrameTooLarge."""
    # The last frame may lack its blank line where the connection ends with it.
    for frame in FrameSplitter().feed(body + b"\n\n\n"):
        event = event_of(frame)
        if event is not None:
            yield frame, event


def merged(name: str, known: Any, more: Any) -> Any:
    """Two pieces of the member `name` as one. Raises CannotFold where they contradict each other."""
    if more is None or known is None:
        return known if more is None else more
    if isinstance(known, dict) and isinstance(more, dict):
        return {**known, **{inner: merged(inner, known.get(inner), value) for inner, value in more.items()}}
    if isinstance(known, list) and isinstance(more, list):
        return known + more
    if isinstance(known, str) and isinstance(more, str) and name in IN_PIECES:
        return known + more
    if known == more or more == "":
        return known
    if known == "":
        return more
    raise CannotFold


def objects(items: object) -> list[Json]:
    """A list of objects. Raises CannotFold for anything else."""
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        return items
    raise CannotFold


def _add_event(completion: Json, found: dict[int, Choice], event: Json) -> None:
    for name in HEAD:
        if event.get(name) is not None:
            completion.setdefault(name, event[name])
    if isinstance(event.get("usage"), dict):
        completion["usage"] = event["usage"]
    for choice in objects(event.get("choices") or []):
        index = choice.get("index", 0)
        if type(index) is not int:
            raise CannotFold
        found.setdefault(index, Choice()).add(choice)
