"""What POST /v1/chat/completions refuses, in the provider's order: model, members, messages, the model's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iwrouting.sandbox import strict
from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.lookup import Models
from iwrouting.sandbox.messages import check_messages
from iwrouting.sandbox.refusals import (
    Refused,
    invalid_type,
    invalid_value,
    missing,
    short,
    unsupported_parameter,
    unsupported_value,
)
from iwrouting.sandbox.strict import ARRAY, BOOLEAN, INTEGER, NUMBER, OBJECT, STRING, STRING_OR_ARRAY, STRING_OR_OBJECT
from iwrouting.sandbox.structured import Shape, chat_shape, check_function
from iwrouting.sandbox.tools import Choice, Tool, choice_of
from iwrouting.types import ModelFacts

FIELDS = {
    "model": STRING,
    "messages": ARRAY,
    "audio": OBJECT,
    "frequency_penalty": NUMBER,
    "function_call": STRING_OR_OBJECT,
    "functions": ARRAY,
    "logit_bias": OBJECT,
    "logprobs": BOOLEAN,
    "max_completion_tokens": INTEGER,
    "max_tokens": INTEGER,
    "metadata": OBJECT,
    "modalities": ARRAY,
    "moderation": OBJECT,
    "n": INTEGER,
    "parallel_tool_calls": BOOLEAN,
    "prediction": OBJECT,
    "presence_penalty": NUMBER,
    "prompt_cache_key": STRING,
    "prompt_cache_options": OBJECT,
    "prompt_cache_retention": STRING,
    "reasoning_effort": STRING,
    "response_format": OBJECT,
    "safety_identifier": STRING,
    "seed": INTEGER,
    "service_tier": STRING,
    "stop": STRING_OR_ARRAY,
    "store": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "temperature": NUMBER,
    "tool_choice": STRING_OR_OBJECT,
    "tools": ARRAY,
    "top_logprobs": INTEGER,
    "top_p": NUMBER,
    "user": STRING,
    "verbosity": STRING,
    "web_search_options": OBJECT,
}

TOOLS_WITH_REASONING = frozenset({"gpt-5.1", "gpt-5-mini"})
"""Reasoning models that take function tools on chat at any effort; later ones only with effort none (1c)."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A checked chat request. `cap` is the output limit in tokens, reasoning included; None: the model's own."""

    facts: ModelFacts
    messages: list[Json]
    tools: list[Tool]
    choice: Choice
    effort: str
    cap: int | None
    shape: Shape | None
    request: Json

    @property
    def n(self) -> int:
        """How many choices are asked for."""
        return self.request.get("n") or 1

    @property
    def include_usage(self) -> bool:
        """Whether the stream ends with a usage chunk."""
        return bool((self.request.get("stream_options") or {}).get("include_usage"))

    @property
    def obfuscated(self) -> bool:
        """Whether stream chunks carry padding: on by default, as with the provider (openai-facts.md 3)."""
        return (self.request.get("stream_options") or {}).get("include_obfuscation") is not False


def checked(models: Models, request: Json) -> Chat:
    """The request, checked. Refused: anything that the provider would not take."""
    facts = models.for_chat(strict.model_name(request))
    if request.get("messages") is None:
        raise missing("messages")
    strict.members(request, FIELDS)
    messages: list[Json] = request["messages"]
    check_messages(messages)
    bounds(request)
    tools = function_tools(request)
    effort = resolved_effort(facts, request)
    by_model(facts, request, effort)
    if tools and effort not in ("", "none") and facts.id not in TOOLS_WITH_REASONING:
        raise no_tools_here(facts)
    return Chat(
        facts=facts,
        messages=messages,
        tools=tools,
        choice=choice_of(request.get("tool_choice")),
        effort=effort,
        cap=output_cap(facts, request),
        shape=chat_shape(request.get("response_format"), messages),
        request=request,
    )


def bounds(request: Json) -> None:
    """The ranges and word lists that hold for every model."""
    strict.between(request, "temperature", 0, 2)
    strict.between(request, "top_p", 0, 1)
    strict.between(request, "frequency_penalty", -2, 2)
    strict.between(request, "presence_penalty", -2, 2)
    strict.between(request, "n", 1, 128)
    strict.between(request, "top_logprobs", 0, 20)
    strict.between(request, "max_tokens", 1)
    strict.between(request, "max_completion_tokens", 1)
    strict.one_of(request, "verbosity", ("low", "medium", "high"))
    strict.one_of(request, "service_tier", ("auto", "default", "flex", "scale", "priority", "fast"))
    stream_options(request)
    stops(request.get("stop"))


def stream_options(request: Json) -> None:
    """`stream_options` goes with `stream` only, and has two members."""
    options = request.get("stream_options")
    if options is None:
        return
    if not request.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(400, message, param="stream_options")
    known = {"include_usage": BOOLEAN, "include_obfuscation": BOOLEAN}
    for name, value in options.items():
        if name not in known:
            raise Refused(
                400, f"Unknown parameter: 'stream_options.{name}'.", param=f"stream_options.{name}",
                code="unknown_parameter",
            )  # fmt: skip
        if value is not None:
            strict.of_kind(f"stream_options.{name}", value, known[name])


def stops(value: Any) -> None:
    """`stop` is a string or up to four."""
    if isinstance(value, list):
        if len(value) > 4:
            message = (
                "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with "
                f"length {len(value)} instead."
            )
            raise Refused(400, message, param="stop", code="array_above_max_length")
        for index, item in enumerate(value):
            strict.of_kind(f"stop[{index}]", item, STRING)


def resolved_effort(facts: ModelFacts, request: Json) -> str:
    """The reasoning effort in force. A model that does not reason does not know the parameter at all."""
    asked = request.get("reasoning_effort")
    if asked is not None and not facts.reasoning:
        raise Refused(400, "Unrecognized request argument supplied: reasoning_effort")
    return strict.effort(facts, asked, "reasoning_effort")


def by_model(facts: ModelFacts, request: Json, effort: str) -> None:
    """The rules of openai-facts.md 1c that differ by model."""
    if not facts.reasoning:
        if request.get("verbosity") not in (None, "medium"):
            message = f"Unsupported value: 'verbosity' does not support '{request['verbosity']}' with this model."
            raise unsupported_value("verbosity", f"{message} Supported values are: 'medium'.")
        return
    if request.get("max_tokens") is not None:
        raise unsupported_parameter("max_tokens", " Use 'max_completion_tokens' instead.")
    if not strict.samples(facts, effort):
        strict.only_default(request, "temperature")
        strict.only_default(request, "top_p")
        strict.not_given(request, "logprobs", "top_logprobs")
    strict.not_given(request, "stop", "presence_penalty", "frequency_penalty", "logit_bias")


def no_tools_here(facts: ModelFacts) -> Refused:
    """The later models' refusal of function tools together with reasoning on chat."""
    return Refused(
        400,
        f"Function tools with reasoning_effort are not supported for {facts.id} in /v1/chat/completions. To use "
        "function tools, use /v1/responses or set reasoning_effort to 'none'.",
        param="reasoning_effort",
    )


def output_cap(facts: ModelFacts, request: Json) -> int | None:
    """The smaller of the two limits on output. Refused: over what the model can write."""
    given = [(name, request[name]) for name in ("max_tokens", "max_completion_tokens") if request.get(name) is not None]
    for name, value in given:
        if facts.max_output is not None and value > facts.max_output:
            message = (
                f"{name} is too large: {value}. This model supports at most {facts.max_output} completion tokens, "
                f"whereas you provided {value}."
            )
            raise Refused(400, message, param=name, code="invalid_value")
    return min((value for _, value in given), default=None)


def function_tools(request: Json) -> list[Tool]:
    """The function tools. Refused: a malformed tool, a choice without tools, a choice of a tool that is not there."""
    raw = request.get("tools")
    if raw == []:
        raise Refused(
            400,
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="tools",
            code="empty_array",
        )
    tools = [tool for index, item in enumerate(raw or ()) if (tool := one_tool(item, f"tools[{index}]"))]
    choice = request.get("tool_choice")
    if choice is not None and not raw:
        raise Refused(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    strict_choice(choice, tools)
    return tools


def one_tool(item: Any, param: str) -> Tool | None:
    """One checked tool; None for a custom tool, which the sandbox takes and never calls."""
    if not isinstance(item, dict):
        raise invalid_type(param, "an object", item)
    if item.get("type") is None:
        raise missing(f"{param}.type")
    if item["type"] == "custom":
        return None
    if item["type"] != "function":
        raise invalid_value(f"{param}.type", item["type"], ("function", "custom"))
    if item.get("function") is None:
        raise missing(f"{param}.function")
    strict.of_kind(f"{param}.function", item["function"], OBJECT)
    return check_function(item["function"], f"{param}.function")


def strict_choice(choice: Any, tools: list[Tool]) -> None:
    """Refuses a `tool_choice` that is no known word, or names a tool that is not offered."""
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise invalid_value("tool_choice", choice, ("none", "auto", "required"))
    if isinstance(choice, dict) and choice.get("type") != "custom":
        offered = {tool.name for tool in tools}
        for name in choice_of(choice).names or ():
            if name not in offered:
                message = f"Invalid value for 'tool_choice': no tool named '{short(name)}' was specified."
                raise Refused(400, message, param="tool_choice", code="invalid_value")
