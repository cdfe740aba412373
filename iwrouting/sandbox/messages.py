"""The checks of a chat's messages: roles, contents, and that every tool result follows its call."""

from __future__ import annotations

from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused, invalid_type, invalid_value, missing

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
PARTS = ("text", "image_url", "input_audio", "file", "refusal")


def check_messages(messages: list[Any]) -> None:
    """Refuses an empty list, a malformed message, and tool messages that do not fit their calls."""
    if not messages:
        raise Refused(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages):
        check_message(message, f"messages[{index}]")
    check_calls(messages)


def check_message(message: Any, param: str) -> None:
    """One message: an object with a known role and a content, which only a calling assistant may leave out."""
    if not isinstance(message, dict):
        raise invalid_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing(f"{param}.role")
    if role not in ROLES:
        raise invalid_value(f"{param}.role", role, ROLES)
    check_tool_calls(message.get("tool_calls"), param)
    content = message.get("content")
    if content is None:
        if role == "assistant" and any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio")):
            return
        if role == "function":
            return
        raise invalid_type(f"{param}.content", "one of a string or array of objects", content)
    check_content(content, f"{param}.content")


def check_tool_calls(calls: Any, param: str) -> None:
    """The calls that an assistant message made: objects with an id and a function of name and arguments."""
    if calls is None:
        return
    if not isinstance(calls, list):
        raise invalid_type(f"{param}.tool_calls", "an array of objects", calls)
    for index, call in enumerate(calls):
        where = f"{param}.tool_calls[{index}]"
        if not isinstance(call, dict):
            raise invalid_type(where, "an object", call)
        if not isinstance(call.get("id"), str):
            raise missing(f"{where}.id")
        if call.get("type") == "custom":
            continue
        function = call.get("function")
        if not isinstance(function, dict):
            raise missing(f"{where}.function")
        for name in ("name", "arguments"):
            if not isinstance(function.get(name), str):
                raise missing(f"{where}.function.{name}")


def check_content(content: Any, param: str) -> None:
    """A content: a string, or an array of parts with a known type."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid_type(param, "one of a string or array of objects", content)
    for index, part in enumerate(content):
        where = f"{param}[{index}]"
        if not isinstance(part, dict):
            raise invalid_type(where, "an object", part)
        kind = part.get("type")
        if kind is None:
            raise missing(f"{where}.type")
        if kind not in PARTS:
            raise invalid_value(f"{where}.type", kind, PARTS)
        if part.get(kind) is None:
            raise missing(f"{where}.{kind}")


def check_calls(messages: list[Json]) -> None:
    """Every tool message answers a call of the assistant message before it, and every call is answered."""
    open_calls: list[str] = []
    asked_at = 0
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            answer_call(message, index, open_calls, asked=bool(index) and follows_call(messages, index))
            continue
        all_answered(open_calls, asked_at)
        open_calls = [str(call.get("id")) for call in message.get("tool_calls") or ()]
        asked_at = index
    all_answered(open_calls, asked_at)


def follows_call(messages: list[Json], index: int) -> bool:
    """Whether the nearest message before `index` that is no tool message made calls."""
    before = (m for m in reversed(messages[:index]) if m["role"] != "tool")
    return bool(next(before, {}).get("tool_calls"))


def answer_call(message: Json, index: int, open_calls: list[str], *, asked: bool) -> None:
    """Takes a tool message's id off the open calls. Refused: no call before it, no id, an id never asked for."""
    if not asked:
        raise Refused(
            400,
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    call_id = message.get("tool_call_id")
    if call_id is None:
        raise missing(f"messages[{index}].tool_call_id")
    if call_id not in open_calls:
        message_text = "Invalid parameter: 'tool_call_id' not found in 'tool_calls' of previous message."
        raise Refused(400, message_text, param=f"messages.[{index}].tool_call_id")
    open_calls.remove(call_id)


def all_answered(open_calls: list[str], asked_at: int) -> None:
    """Refuses calls that were left without their tool message."""
    if open_calls:
        raise Refused(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            param=f"messages.[{asked_at + 1}].role",
        )
