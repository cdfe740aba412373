"""Which tools an answer calls, and with what arguments; the same for chat and responses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from iwrouting.sandbox.refusals import invalid_type, missing
from iwrouting.sandbox.schemas import example


@dataclass(frozen=True, slots=True)
class Tool:
    """A function tool: its name and the schema of its arguments."""

    name: str
    parameters: Any

    def arguments(self) -> str:
        """Arguments that fit the schema, as the JSON text that the provider sends."""
        return json.dumps(example(self.parameters or {"type": "object"}, self.name) or {}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Choice:
    """A `tool_choice` of either API: mode `auto`, `none` or `required`, and the tools it is limited to (None: all)."""

    mode: str = "auto"
    names: tuple[str, ...] | None = None


def choice_of(value: Any) -> Choice:
    """`tool_choice` in any of its forms, chat or responses. Refused: an object of no known form."""
    if value is None or isinstance(value, str):
        return Choice(value or "auto")
    if value.get("type") != "allowed_tools":
        return Choice("required", (name_of(value, "tool_choice"),))
    inner = value.get("allowed_tools", value)
    tools = inner.get("tools") if isinstance(inner, dict) else None
    if not isinstance(tools, list):
        raise missing("tool_choice.tools")
    names = tuple(name_of(tool, f"tool_choice.tools[{index}]") for index, tool in enumerate(tools))
    return Choice("required" if inner.get("mode") == "required" else "auto", names)


def name_of(tool: Any, param: str) -> str:
    """The name in a tool or a choice, nested as chat has it or flat as responses has it."""
    if not isinstance(tool, dict):
        raise invalid_type(param, "an object", tool)
    inner = tool.get("function", tool)
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else str(tool.get("type") or "")


def calls(tools: list[Tool], choice: Choice, heard: str, *, answering: bool, parallel: bool) -> list[Tool]:
    """The tools that the answer calls.

    All that the last user text names as "call NAME"; when a call is required, at least one. `answering`: the last
    message is a tool's result, so the model talks unless a call is required. Not `parallel`: one at most.
    """
    allowed = [tool for tool in tools if choice.names is None or tool.name in choice.names]
    if choice.mode == "none" or not allowed:
        return []
    named = [tool for tool in allowed if re.search(rf"\bcall {re.escape(tool.name)}\b", heard, re.IGNORECASE)]
    if choice.mode == "required":
        named = named or allowed[:1]
    elif answering:
        named = []
    return named if parallel else named[:1]
