"""Tools of chat as those of Responses, and what a deep-research model needs (openai-facts.md 2a and 5). Pure."""

from __future__ import annotations

from typing import Any

from iwrouting.types import ModelFacts
from iwrouting.upstream.translate.notes import Notes, malformed, untranslatable

Tool = dict[str, Any]
NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}
"""What chat means by leaving `parameters` out, a member that Responses requires."""

CUSTOM = "Make it a function tool with one text parameter."
PREVIEW = "web_search_preview"
DATA_SOURCES = (PREVIEW, "file_search", "mcp")
"""A deep-research model refuses a request without one of these."""

RESEARCH_EFFORT = "medium"
NOT_RESEARCHED = {
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "temperature": "temperature",
    "top_p": "top_p",
    "include": "logprobs",
    "top_logprobs": "top_logprobs",
}
"""Members that a deep-research model refuses, each with the chat name of what it came from."""


def tools_of(tools: object, notes: Notes) -> list[Tool]:
    """The tools, functions flat. Raises BadRequest that names the one at fault."""
    if not isinstance(tools, list):
        raise malformed("tools", "a list of tools")
    return [_tool(tool, f"tools[{index}]", notes) for index, tool in enumerate(tools)]


def _tool(tool: object, where: str, notes: Notes) -> Tool:
    if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
        raise malformed(where, "an object with a type")
    if tool["type"] == "custom":
        raise untranslatable(f"{where}.type", CUSTOM)
    if tool["type"] != "function":
        # A hosted tool, such as a deep-research model's source of data: chat has none, so it is meant for Responses.
        return tool
    function = tool.get("function")
    if not isinstance(function, dict):
        raise malformed(f"{where}.function", "an object with a name")
    notes.extras(tool, ("type", "function"), "tools")
    notes.extras(function, ("name", "description", "parameters", "strict"), "tools.function")
    return _function(function, where)


def _function(function: Tool, where: str) -> Tool:
    name = function.get("name")
    if not isinstance(name, str):
        raise malformed(f"{where}.function.name", "a text")
    flat: Tool = {"type": "function", "name": name}
    if function.get("description") is not None:
        flat["description"] = function["description"]
    parameters = function.get("parameters")
    flat["parameters"] = dict(NO_PARAMETERS) if parameters is None else parameters
    # Omitted means non-strict on chat and strict on responses: unsaid, optional arguments would get filled (2e).
    flat["strict"] = False if function.get("strict") is None else function["strict"]
    return flat


def choice_of(choice: object) -> object:
    """`tool_choice`, its objects flat. Raises BadRequest that names the member at fault."""
    if isinstance(choice, str):
        return choice
    if not isinstance(choice, dict) or not isinstance(choice.get("type"), str):
        raise malformed("tool_choice", "none, auto, required, or an object with a type")
    if choice["type"] == "allowed_tools":
        return _allowed(choice.get("allowed_tools"))
    return _named(choice, "tool_choice")


def _allowed(allowed: object) -> Tool:
    if not isinstance(allowed, dict) or not isinstance(allowed.get("tools"), list):
        raise malformed("tool_choice.allowed_tools", "an object with mode and tools")
    where = "tool_choice.allowed_tools.tools"
    tools = [_named(tool, f"{where}[{index}]") for index, tool in enumerate(allowed["tools"])]
    return {"type": "allowed_tools", "mode": allowed.get("mode"), "tools": tools}


def _named(choice: object, where: str) -> Tool:
    if not isinstance(choice, dict):
        raise malformed(where, "an object with a type")
    if choice.get("type") == "custom":
        raise untranslatable(where, CUSTOM)
    if choice.get("type") != "function":
        return choice
    function = choice.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise malformed(f"{where}.function", "an object with a name")
    return {"type": "function", "name": function["name"]}


def web_search(options: object, notes: Notes) -> Tool:
    """`web_search_options` as the tool that it stands for. Raises BadRequest that names the member at fault."""
    if not isinstance(options, dict):
        raise malformed("web_search_options", "an object")
    notes.extras(options, ("search_context_size", "user_location"), "web_search_options")
    tool: Tool = {"type": "web_search"}
    if options.get("search_context_size") is not None:
        tool["search_context_size"] = options["search_context_size"]
    location = options.get("user_location")
    if location is not None:
        place = location.get("approximate") if isinstance(location, dict) else None
        if not isinstance(place, dict):
            raise malformed("web_search_options.user_location", "an object with approximate")
        tool["user_location"] = {**place, "type": "approximate"}
    return tool


def is_research(facts: ModelFacts) -> bool:
    """Whether a model is a deep-research one, of another kind than a chat model (openai-facts.md 5)."""
    return "deep-research" in facts.id


def fit_research(made: dict[str, Any], notes: Notes) -> None:
    """Change a translated request into one that a deep-research model takes: a source of data, and no functions."""
    given: list[Tool] = made.get("tools", [])
    tools = [_previewed(tool) for tool in given if tool["type"] != "function"]
    if len(tools) < len(given):
        notes.drop("tools", "function tools")
    if not any(tool["type"].startswith(DATA_SOURCES) for tool in tools):
        tools.append({"type": PREVIEW})
        notes.add(f"added {PREVIEW}")
    made["tools"] = tools
    for name, chat_name in NOT_RESEARCHED.items():
        if made.pop(name, None) is not None:
            notes.drop(chat_name)
    _drop_inside(made, "text", "format", notes, "response_format")
    if made.get("reasoning", {}).get("effort") != RESEARCH_EFFORT:
        _drop_inside(made, "reasoning", "effort", notes, "reasoning_effort")


def _previewed(tool: Tool) -> Tool:
    return {**tool, "type": PREVIEW} if tool["type"] == "web_search" else tool


def _drop_inside(made: dict[str, Any], outer: str, inner: str, notes: Notes, chat_name: str) -> None:
    kept = {name: value for name, value in made.get(outer, {}).items() if name != inner}
    if len(kept) < len(made.get(outer, {})):
        notes.drop(chat_name)
    made.pop(outer, None)
    if kept:
        made[outer] = kept
