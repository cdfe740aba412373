"""A Responses request as a chat request (openai-facts.md 2c). Pure.

Every field of the request is mapped, or told in the changes, or refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from iwrouting.errors import BadRequest
from iwrouting.types import Endpoint, ModelFacts
from iwrouting.upstream.params import adapt
from iwrouting.upstream.translate.notes import Notes, malformed, shown
from iwrouting.upstream.translate.request import LOGPROBS, SAME, Body, Translated
from iwrouting.upstream.translate.reverse.items import Conversation, untranslatable

TRANSLATED = "translated responses to chat"

WITHOUT_EQUIVALENT = (
    "background",
    "context_management",
    "conversation",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
)
"""Fields that ask for what only the Responses API keeps or does: refused (2c)."""


RESPONSES_NAMES = {
    "logprobs": "include",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
}
"""The Responses names of members that a refused translation is blamed on."""


def request_for_chat(body: Mapping[str, Any], facts: ModelFacts, *, strict: bool = False) -> Translated:
    """Translate a Responses request for a model that is served through chat; its parameter rules are applied after.

    `strict` refuses what would be dropped. Raises BadRequest that names the field which can't be translated.
    """
    notes = Notes(strict)
    notes.add(TRANSLATED)
    made: Body = {"model": facts.id, "messages": []}
    for name, value in body.items():
        if value is not None and name not in ("model", "input", "instructions", "max_output_tokens"):
            _field(name, value, made, notes)
    instructions = body.get("instructions")
    if instructions is not None:
        made["messages"].append({"role": "system", "content": instructions})
    made["messages"] += Conversation(notes).add_all(body.get("input"))
    if body.get("max_output_tokens") is not None:
        made[facts.completion_cap_param] = body["max_output_tokens"]
    if made.get("stream") is True:
        # The last event tells the usage here, unasked.
        made["stream_options"] = {**made.get("stream_options", {}), "include_usage": True}
    return Translated(_ruled(made, facts, notes), notes.changes)


def _ruled(made: Body, facts: ModelFacts, notes: Notes) -> Body:
    """The chat request after the model's parameter rules, told and refused by the Responses names."""
    try:
        adapted, changes = adapt(made, facts, Endpoint.CHAT, strict=notes.strict)
    except BadRequest as error:
        chat = error.param or ""
        name = responses_param(chat)
        raise BadRequest(name + error.message.removeprefix(chat), param=name, code=error.code) from None
    for change in changes:
        verb, chat, *rest = change.split(" ", 2)
        notes.add(" ".join((verb, responses_param(chat), *rest)))
    return adapted


def responses_param(param: str) -> str:
    """The field of the Responses request that an error at the chat endpoint speaks of."""
    base = re.split(r"[.\[]", param, maxsplit=1)[0]
    return RESPONSES_NAMES.get(base, param)


def _field(name: str, value: Any, made: Body, notes: Notes) -> None:
    if name in MAPPED:
        MAPPED[name](value, made, notes)
    elif name in WITHOUT_EQUIVALENT:
        if value is not False:
            raise untranslatable(name)
    elif name in SAME:
        made[name] = value
    else:
        notes.drop(shown(name))


def _tools(value: Any, made: Body, notes: Notes) -> None:
    if not isinstance(value, list):
        raise malformed("tools", "a list of tools")
    if value:
        made["tools"] = [_tool(tool, f"tools[{index}]", notes) for index, tool in enumerate(value)]


def _tool(tool: Any, where: str, notes: Notes) -> Body:
    if not isinstance(tool, dict):
        raise malformed(where, "an object with a type")
    if tool.get("type") != "function":
        raise untranslatable(f"{where}.type")
    if not isinstance(tool.get("name"), str):
        raise malformed(f"{where}.name", "a text")
    if tool.get("strict") is None:
        # Left out, it means "strict where the schema allows it" here, and not strict on chat.
        notes.add("tools without strict are not strict")
    names = ("name", "description", "parameters", "strict")
    notes.extras(tool, ("type", *names), "tools")
    return {"type": "function", "function": {name: tool[name] for name in names if tool.get(name) is not None}}


def _choice(value: Any, made: Body, notes: Notes) -> None:
    made["tool_choice"] = value if isinstance(value, str) else _named(value, "tool_choice")


def _named(value: Any, where: str) -> Body:
    if not isinstance(value, dict):
        raise malformed(where, "a word or an object with a type")
    if value.get("type") == "allowed_tools" and isinstance(value.get("tools"), list):
        tools = [_named(tool, f"{where}.tools[{index}]") for index, tool in enumerate(value["tools"])]
        return {"type": "allowed_tools", "allowed_tools": {"mode": value.get("mode"), "tools": tools}}
    if value.get("type") != "function":
        raise untranslatable(f"{where}.type")
    return {"type": "function", "function": {"name": value.get("name")}}


def _text(value: Any, made: Body, notes: Notes) -> None:
    if not isinstance(value, dict):
        raise malformed("text", "an object")
    notes.extras(value, ("format", "verbosity"), "text")
    if value.get("verbosity") is not None:
        made["verbosity"] = value["verbosity"]
    shape = value.get("format")
    if shape is None:
        return
    if not isinstance(shape, dict):
        raise malformed("text.format", "an object with a type")
    inner = {name: each for name, each in shape.items() if name != "type"}
    made["response_format"] = {"type": shape.get("type"), **({"json_schema": inner} if inner else {})}


def _reasoning(value: Any, made: Body, notes: Notes) -> None:
    if not isinstance(value, dict):
        raise malformed("reasoning", "an object")
    notes.extras(value, ("effort",), "reasoning")
    if value.get("effort") is not None:
        made["reasoning_effort"] = value["effort"]


def _include(value: Any, made: Body, notes: Notes) -> None:
    for each in value if isinstance(value, list) else [value]:
        if each == LOGPROBS:
            made["logprobs"] = True
        else:
            notes.drop(f"include.{shown(str(each))}")


def _top_logprobs(value: Any, made: Body, notes: Notes) -> None:
    made.update(logprobs=True, top_logprobs=value)


def _store(value: Any, made: Body, notes: Notes) -> None:
    """Nothing is kept that could be fetched later; who asks for it is told."""
    if value is not False:
        notes.drop("store")


def _truncation(value: Any, made: Body, notes: Notes) -> None:
    if value != "disabled":
        notes.drop("truncation")


def _stream_options(value: Any, made: Body, notes: Notes) -> None:
    if not isinstance(value, dict):
        raise malformed("stream_options", "an object")
    made["stream_options"] = value


MAPPED: Mapping[str, Callable[[Any, Body, Notes], None]] = {
    "include": _include,
    "reasoning": _reasoning,
    "store": _store,
    "stream_options": _stream_options,
    "text": _text,
    "tool_choice": _choice,
    "tools": _tools,
    "top_logprobs": _top_logprobs,
    "truncation": _truncation,
}
