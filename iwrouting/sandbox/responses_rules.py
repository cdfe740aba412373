"""What POST /v1/responses refuses, in the provider's order: model, members, input, tools, the model's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iwrouting.sandbox import strict
from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.items import items_of
from iwrouting.sandbox.lookup import Models
from iwrouting.sandbox.refusals import Refused, invalid_type, invalid_value, missing, short, unsupported_parameter
from iwrouting.sandbox.strict import ARRAY, BOOLEAN, INTEGER, NUMBER, OBJECT, STRING, STRING_OR_ARRAY, STRING_OR_OBJECT
from iwrouting.sandbox.structured import Shape, check_function, responses_shape
from iwrouting.sandbox.tools import Choice, Tool, choice_of
from iwrouting.sandbox.words import text_of
from iwrouting.types import ModelFacts

FIELDS = {
    "model": STRING,
    "input": STRING_OR_ARRAY,
    "access_programs": OBJECT,
    "background": BOOLEAN,
    "background_options": OBJECT,
    "context_management": ARRAY,
    "conversation": STRING_OR_OBJECT,
    "image": OBJECT,
    "include": ARRAY,
    "instructions": STRING,
    "max_output_tokens": INTEGER,
    "max_tool_calls": INTEGER,
    "metadata": OBJECT,
    "moderation": OBJECT,
    "parallel_tool_calls": BOOLEAN,
    "previous_response_id": STRING,
    "prompt": OBJECT,
    "prompt_cache_key": STRING,
    "prompt_cache_options": OBJECT,
    "prompt_cache_retention": STRING,
    "reasoning": OBJECT,
    "safety_identifier": STRING,
    "service_tier": STRING,
    "store": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "temperature": NUMBER,
    "text": OBJECT,
    "tool_choice": STRING_OR_OBJECT,
    "tools": ARRAY,
    "top_logprobs": INTEGER,
    "top_p": NUMBER,
    "truncation": STRING,
    "user": STRING,
}

MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}
"""Members of chat that the endpoint names the new place of."""

HOSTED = (
    "web_search", "web_search_preview", "file_search", "mcp", "code_interpreter", "image_generation", "local_shell",
    "shell", "custom", "apply_patch", "computer", "computer_use_preview",
)  # fmt: skip
DATA_SOURCES = ("web_search_preview", "file_search", "mcp")
RESEARCH_TOOLS = (*DATA_SOURCES, "code_interpreter")
MIN_OUTPUT = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked Responses request. `items` is its own input, without what a previous response brings in."""

    facts: ModelFacts
    items: list[Json]
    tools: list[Tool]
    choice: Choice
    effort: str
    shape: Shape | None
    request: Json

    @property
    def researches(self) -> bool:
        """Whether the model is a deep-research one."""
        return is_research(self.facts)


def is_research(facts: ModelFacts) -> bool:
    """Whether a model is a deep-research one (openai-facts.md 5)."""
    return "deep-research" in facts.id


def checked(models: Models, request: Json) -> Asked:
    """The request, checked. Refused: anything that the provider would not take."""
    facts = models.for_responses(strict.model_name(request))
    moved(request)
    strict.members(request, FIELDS)
    items = items_of(request)
    bounds(facts, request)
    stream_options(request)
    effort = resolved_effort(facts, request)
    by_model(facts, request, effort)
    tools = checked_tools(facts, request)
    texts = [text_of(item.get("content")) for item in items] + [request.get("instructions") or ""]
    shape = responses_shape(request.get("text"), texts)
    if shape is not None and is_research(facts):
        raise unsupported_parameter("text.format")
    return Asked(facts, items, tools, choice_of(request.get("tool_choice")), effort, shape, request)


def moved(request: Json) -> None:
    """Refuses the chat names of members that have moved."""
    for name, place in MOVED.items():
        if name in request:
            message = (
                f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{place}'. Try "
                "again with the new parameter."
            )
            raise Refused(400, message, code="unsupported_parameter")


def bounds(facts: ModelFacts, request: Json) -> None:
    """The ranges and word lists that hold for every model."""
    strict.between(request, "max_output_tokens", MIN_OUTPUT, facts.max_output)
    strict.between(request, "max_tool_calls", 1)
    strict.between(request, "temperature", 0, 2)
    strict.between(request, "top_p", 0, 1)
    strict.between(request, "top_logprobs", 0, 20)
    strict.one_of(request, "truncation", ("auto", "disabled"))
    strict.one_of(request, "service_tier", ("auto", "default", "flex", "scale", "priority", "fast"))


def stream_options(request: Json) -> None:
    """`stream_options` goes with `stream` only; usage needs no asking for here, and asking is refused."""
    options = request.get("stream_options")
    if options is None:
        return
    if not request.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(400, message, param="stream_options")
    for name in options:
        if name != "include_obfuscation":
            param = f"stream_options.{short(name)}"
            raise Refused(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def resolved_effort(facts: ModelFacts, request: Json) -> str:
    """The reasoning effort in force. Refused: asked of a model that does not reason."""
    asked = (request.get("reasoning") or {}).get("effort")
    if asked is None:
        return facts.default_effort
    if not isinstance(asked, str):
        raise invalid_type("reasoning.effort", "a string", asked)
    if not facts.reasoning:
        raise unsupported_parameter("reasoning.effort")
    return strict.effort(facts, asked, "reasoning.effort")


def by_model(facts: ModelFacts, request: Json, effort: str) -> None:
    """Sampling parameters on models that do not take them; here the real one gives no code."""
    if strict.samples(facts, effort):
        return
    for name in ("temperature", "top_p"):
        if request.get(name) not in (None, 1):
            raise Refused(400, f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
    strict.not_given(request, "top_logprobs")


def checked_tools(facts: ModelFacts, request: Json) -> list[Tool]:
    """The function tools. Refused: a malformed tool, and what a deep-research model does not take."""
    raw: list[Any] = request.get("tools") or []
    tools = [tool for index, item in enumerate(raw) if (tool := one_tool(item, f"tools[{index}]"))]
    if is_research(facts):
        check_research(facts, raw)
    choice = request.get("tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise invalid_value("tool_choice", choice, ("none", "auto", "required"))
    if isinstance(choice, dict) and choice.get("type") == "function":
        offered = [tool.name for tool in tools]
        if choice.get("name") not in offered:
            message = f"Tool choice 'function' not found in 'tools' parameter: '{short(choice.get('name'))}'."
            raise Refused(400, message, param="tool_choice")
    return tools


def one_tool(item: Any, param: str) -> Tool | None:
    """One checked tool; None for a hosted one, which the sandbox takes and never calls."""
    if not isinstance(item, dict):
        raise invalid_type(param, "an object", item)
    kind = item.get("type")
    if kind is None:
        raise missing(f"{param}.type")
    if kind != "function":
        if kind not in HOSTED and not str(kind).startswith("web_search_preview_"):
            raise invalid_value(f"{param}.type", kind, ("function", *HOSTED))
        return None
    if "parameters" not in item:
        raise missing(f"{param}.parameters")
    return check_function(item, param)


def check_research(facts: ModelFacts, tools: list[Json]) -> None:
    """A deep-research model needs a source of data and takes no function tools (openai-facts.md 5)."""
    kinds = [str(tool.get("type")) for tool in tools]
    for kind in kinds:
        if not kind.startswith(RESEARCH_TOOLS):
            raise Refused(400, f"Tool '{short(kind)}' is not supported with {facts.id}.", param="tools")
    if not any(kind.startswith(DATA_SOURCES) for kind in kinds):
        message = "Deep research models require at least one of 'web_search_preview', 'mcp', or 'file_search' tools."
        raise Refused(400, message, param="tools")
    if any(tool.get("type") == "mcp" and tool.get("require_approval") != "never" for tool in tools):
        raise Refused(400, "Deep research models require 'require_approval' 'never' on mcp tools.", param="tools")
