"""A Responses stream on its way to a Responses caller, byte for byte (openai-facts.md 2d and 3). Pure.

Frames are relayed as they came; each is read, which costs less than to search it for what would make it worth it. The
terminal event is held back: it goes out once the outcome is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iwrouting.types import Usage
from iwrouting.upstream.delivered import responses_text
from iwrouting.upstream.failures import BAD_ANSWER, Failure, bad_answer, in_band
from iwrouting.upstream.sse import frame_data
from iwrouting.upstream.translate.pieces import failure_of, finish_reason, responses_usage
from iwrouting.upstream.translate.wire import event_of

WHOLE = ("response.completed", "response.incomplete", "response.cancelled")
TERMINALS = (*WHOLE, "response.failed")

OUTPUT = re.compile(
    r"response\.(?:output_text|refusal|function_call_arguments|custom_tool_call_input|audio|code_interpreter_call_code"
    r"|mcp_call_arguments|image_generation_call\.partial_image)(?:[._].*)?"
)
"""Events that carry output; so do items that the caller must act on, the end, and types unknown here do not."""

ACTS = ("_call", "_approval_request")
HOSTED = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")
"""Calls that the provider itself carries out: it may still fail, and another model may answer."""

NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')


@dataclass(slots=True)
class ResponsesScanner:
    """Watches frames. `at_once`: the first event commits, because what it tells of goes on at the provider."""

    at_once: bool = False
    usage: Usage | None = None
    finish_reason: str = ""
    response_id: str = ""
    done: bool = False
    failure: Failure | None = None
    output: bool = False
    text_bytes: int = 0
    _terminal: bytes = b""
    _latest: bytes = b""

    @property
    def whole(self) -> bool:
        """Whether the provider ended the answer as whole (G2)."""
        return self.done

    @property
    def number(self) -> int:
        """The sequence number of an event that follows the last one."""
        found = NUMBER.findall(self._latest)
        return int(found[-1]) + 1 if found else 0

    def take(self, frame: bytes) -> bytes:
        """The frame as it came; nothing for an error and for the terminal event, which waits."""
        if self.done or self.failure is not None:
            return b""
        try:
            event = event_of(frame)
        except ValueError:
            self.failure = bad_answer("bad_event", 200)
            return b""
        kept = event is None or self._look(event, frame)
        self._latest = frame if event is not None and kept else self._latest
        return frame if kept and frame_data(frame) != b"[DONE]" else b""

    def shows_output(self, frame: bytes) -> bool:
        """Whether any frame so far carried output."""
        return self.output

    @property
    def terminal(self) -> bytes:
        """The terminal event as it came."""
        return self._terminal

    def _look(self, event: Mapping[str, Any], frame: bytes) -> bool:
        kind, response = event.get("type"), event.get("response")
        if isinstance(response, dict) and isinstance(response.get("id"), str):
            self.response_id = response["id"]
        if kind == "error" or (event.get("error") and kind not in TERMINALS):
            self.failure = error_in(event)
        elif kind in TERMINALS:
            self._end(str(kind), response if isinstance(response, dict) else {}, frame)
        self.text_bytes += responses_text(event)
        self.output = self.output or self.at_once or self.done or shows(event)
        return not self.done and self.failure is None

    def _end(self, kind: str, response: Mapping[str, Any], frame: bytes) -> None:
        self.usage = responses_usage(response)
        said = kind.removeprefix("response.")
        # An event that says "completed" of a response that says otherwise is not believed.
        ended = {**response, "status": response.get("status") or said if said == "completed" else said}
        ending = None if ended["status"] == "cancelled" else failure_of(ended)
        if ending is not None:
            self.failure = bad_answer("truncated") if ending.type == BAD_ANSWER else ending
            return
        self.finish_reason = ending_of(ended)
        self._terminal = frame
        self.done = True


def error_in(event: Mapping[str, Any]) -> Failure:
    """What an error event means, in either form: its members at the top, or in an object."""
    nested = event.get("error")
    flat = {name: event.get(name) for name in ("code", "message", "param")}
    return in_band(nested if isinstance(nested, dict) else flat)


def ending_of(response: Mapping[str, Any]) -> str:
    """Why a response ended, in chat's words; an empty string for one that has not, or was cancelled."""
    if response.get("status") not in ("completed", "incomplete"):
        return ""
    output = response.get("output")
    items = output if isinstance(output, list) else []
    return finish_reason(response, called=any(is_call(item) for item in items))


def shows(event: Mapping[str, Any]) -> bool:
    """Whether an event ends the time in which another model may answer (table 2d)."""
    kind = event.get("type")
    if kind in ("response.output_item.added", "response.output_item.done"):
        return is_call(event.get("item"))
    return isinstance(kind, str) and OUTPUT.fullmatch(kind) is not None


def is_call(item: object) -> bool:
    """Whether an output item asks the caller to do something."""
    kind = item.get("type") if isinstance(item, dict) else None
    return isinstance(kind, str) and kind.endswith(ACTS) and kind not in HOSTED
