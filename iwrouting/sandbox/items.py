"""The checks of a Responses request's input items, and their form as one list of messages."""

from __future__ import annotations

from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused, invalid_type, invalid_value, missing

ROLES = ("assistant", "system", "developer", "user")
TYPES = (
    "message", "function_call", "function_call_output", "reasoning", "item_reference", "file_search_call",
    "web_search_call", "computer_call", "computer_call_output", "code_interpreter_call", "image_generation_call",
    "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
    "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call",
    "custom_tool_call", "custom_tool_call_output", "compaction",
)  # fmt: skip
INPUT_PARTS = ("input_text", "input_image", "input_file")
OUTPUT_PARTS = ("output_text", "refusal")
NEEDED = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "item_reference": ("id",),
}


def items_of(request: Json) -> list[Json]:
    """The input as items: a string is one user message. Refused: nothing to answer, or a malformed item."""
    value = request.get("input")
    if value is None or value == []:
        if any(request.get(name) is not None for name in ("previous_response_id", "prompt", "conversation")):
            return []
        message = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided."
        raise Refused(400, message, param="input", code="missing_required_parameter")
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return [checked_item(item, f"input[{index}]") for index, item in enumerate(value)]


def checked_item(item: Any, param: str) -> Json:
    """One item, its `type` filled in where a message leaves it out."""
    if not isinstance(item, dict):
        raise invalid_type(param, "an object", item)
    kind = item.get("type") or ("message" if "role" in item else None)
    if kind is None:
        raise missing(f"{param}.type")
    if kind not in TYPES:
        raise invalid_value(param, kind, TYPES)
    for name in NEEDED.get(kind, ()):
        if item.get(name) is None:
            raise missing(f"{param}.{name}")
    if kind == "message":
        check_message(item, param)
    return {**item, "type": kind}


def check_message(item: Json, param: str) -> None:
    """A message item: a known role, and parts that fit it; an assistant's are output parts (openai-facts.md 2a)."""
    role = item.get("role")
    if role is None:
        raise missing(f"{param}.role")
    if role not in ROLES:
        raise invalid_value(f"{param}.role", role, ROLES)
    content = item.get("content")
    if content is None:
        raise missing(f"{param}.content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid_type(f"{param}.content", "one of a string or array of objects", content)
    allowed = OUTPUT_PARTS if role == "assistant" else INPUT_PARTS
    for index, part in enumerate(content):
        where = f"{param}.content[{index}]"
        if not isinstance(part, dict):
            raise invalid_type(where, "an object", part)
        if part.get("type") not in allowed:
            raise invalid_value(where, part.get("type"), allowed)
        text = {"input_text": "text", "output_text": "text", "refusal": "refusal"}.get(part["type"])
        if text is not None and not isinstance(part.get(text), str):
            raise (
                missing(f"{where}.{text}")
                if part.get(text) is None
                else invalid_type(f"{where}.{text}", "a string", part[text])
            )


def check_calls(items: list[Json]) -> None:
    """Refuses an output without its call and a call without its output, over the whole conversation."""
    called = [item["call_id"] for item in items if item["type"] == "function_call"]
    answered = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    for call_id in answered:
        if call_id not in called:
            raise Refused(400, f"No tool call found for function call output with call_id {call_id}.", param="input")
    for call_id in called:
        if call_id not in answered:
            raise Refused(400, f"No tool output found for function call {call_id}.", param="input")
