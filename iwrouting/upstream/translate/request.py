"""A chat request as a Responses request (openai-facts.md 2a and 5). Pure.

Every field of the request is mapped, or told in the changes, or refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from iwrouting.types import ModelFacts
from iwrouting.upstream.params import MIN_OUTPUT, NEW_CAP, OLD_CAP, adapt_untranslated
from iwrouting.upstream.translate.messages import Transcript
from iwrouting.upstream.translate.notes import TRANSLATED, Notes, malformed, shown, untranslatable
from iwrouting.upstream.translate.tools import choice_of, fit_research, is_research, tools_of, web_search

Body = dict[str, Any]
LOGPROBS = "message.output_text.logprobs"

SAME = frozenset(
    {
        "metadata",
        "moderation",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "stream",
        "temperature",
        "top_logprobs",
        "top_p",
        "user",
    }
)
"""Fields of the same name and meaning."""

WITHOUT_EQUIVALENT = frozenset(
    {"frequency_penalty", "logit_bias", "prediction", "presence_penalty", "seed", "stop"},
)
"""Fields that are dropped and told, or refused by a strict translation."""

REFUSED = {
    "audio": "Leave it out, or ask a model that speaks at /v1/chat/completions.",
    "functions": "Use `tools`.",
    "function_call": "Use `tool_choice`.",
}
"""Fields that change what kind of answer the caller waits for, each with the next step."""


CHAT_NAMES = {
    "include": "logprobs",
    "input": "messages",
    "max_output_tokens": "max_completion_tokens",
    "reasoning": "reasoning_effort",
    "text.format": "response_format",
    "text.verbosity": "verbosity",
}
"""The chat names of members that a refused translation is blamed on."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A request body for the other endpoint, and what was changed, as `x-iw-changes` tells it."""

    body: Body
    changes: tuple[str, ...]


def chat_to_responses(body: Mapping[str, Any], facts: ModelFacts, *, strict: bool = False) -> Translated:
    """Translate a chat request for a Responses-only model; the model's parameter rules are applied on the way.

    `strict` refuses what would be dropped. Raises BadRequest that names the field which can't be translated.
    """
    notes = Notes(strict)
    notes.add(TRANSLATED)
    given = _ruled(body, facts, notes)
    items = Transcript(notes).items(given.pop("messages", None))
    made: Body = {"model": given.pop("model"), "input": items, "store": False}
    _cap(given, made, notes)
    for name, value in given.items():
        if value is not None:
            _field(name, value, made, notes)
    if is_research(facts):
        fit_research(made, notes)
    return Translated(made, notes.changes)


def chat_param(param: str) -> str:
    """The field of the chat request that an error at the Responses endpoint speaks of."""
    found = (chat for name, chat in CHAT_NAMES.items() if param == name or param.startswith((f"{name}.", f"{name}[")))
    return next(found, param)


def _ruled(body: Mapping[str, Any], facts: ModelFacts, notes: Notes) -> Body:
    """The request after the model's parameter rules."""
    given, changes = adapt_untranslated(body, facts, strict=notes.strict)
    for change in changes:
        name = change.removeprefix("dropped ")
        if name == change or body.get(name) is not None:
            notes.add(change)
    return given


def _cap(given: Body, made: Body, notes: Notes) -> None:
    old, new = given.pop(OLD_CAP, None), given.pop(NEW_CAP, None)
    if old is not None and new is not None:
        notes.drop(OLD_CAP)
    name, value = (OLD_CAP, old) if new is None else (NEW_CAP, new)
    if value is None:
        return
    if type(value) is not int or value < 1:
        raise malformed(name, "a whole number from 1 up")
    if value < MIN_OUTPUT:
        if notes.strict:
            raise untranslatable(name, f"Ask for at least {MIN_OUTPUT}.")
        notes.add(f"clamped {name} to {MIN_OUTPUT}")
    made["max_output_tokens"] = max(value, MIN_OUTPUT)


def _field(name: str, value: Any, made: Body, notes: Notes) -> None:
    if name in SAME:
        made[name] = value
    elif name in REFUSED:
        raise untranslatable(name, REFUSED[name])
    elif name in MAPPED:
        MAPPED[name](value, made, notes)
    else:
        notes.drop(name if name in WITHOUT_EQUIVALENT else shown(name))


def _choices(value: Any, made: Body, notes: Notes) -> None:
    if value != 1:
        notes.drop("n")


def _modalities(value: Any, made: Body, notes: Notes) -> None:
    if value != ["text"]:
        raise untranslatable("modalities", 'Only ["text"] is possible; leave it out.')


def _store(value: Any, made: Body, notes: Notes) -> None:
    made["store"] = value


def _logprobs(value: Any, made: Body, notes: Notes) -> None:
    if value is not False:
        made["include"] = [LOGPROBS]


def _effort(value: Any, made: Body, notes: Notes) -> None:
    made["reasoning"] = {"effort": value}


def _verbosity(value: Any, made: Body, notes: Notes) -> None:
    made.setdefault("text", {})["verbosity"] = value


def _format(value: Any, made: Body, notes: Notes) -> None:
    made.setdefault("text", {})["format"] = _shape(value, notes)


def _shape(value: Any, notes: Notes) -> Body:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in ("text", "json_object"):
        return {"type": kind}
    if kind != "json_schema":
        raise malformed("response_format.type", "text, json_object or json_schema")
    inner = value.get("json_schema")
    if not isinstance(inner, dict):
        raise malformed("response_format.json_schema", "an object with name and schema")
    for name in ("name", "schema"):
        if inner.get(name) is None:
            raise malformed(f"response_format.json_schema.{name}", "a value: the Responses API requires it")
    notes.extras(inner, ("name", "schema", "strict", "description"), "response_format.json_schema")
    flat = {"type": kind, "name": inner["name"], "schema": inner["schema"], "strict": inner.get("strict") or False}
    return flat if inner.get("description") is None else {**flat, "description": inner["description"]}


def _tools(value: Any, made: Body, notes: Notes) -> None:
    made.setdefault("tools", [])[:0] = tools_of(value, notes)


def _web_search(value: Any, made: Body, notes: Notes) -> None:
    made.setdefault("tools", []).append(web_search(value, notes))


def _choice(value: Any, made: Body, notes: Notes) -> None:
    made["tool_choice"] = choice_of(value)


def _stream_options(value: Any, made: Body, notes: Notes) -> None:
    """`include_usage` needs no word here: usage always comes in the terminal event, and the field is unknown there."""
    if not isinstance(value, dict):
        raise malformed("stream_options", "an object")
    notes.extras(value, ("include_usage", "include_obfuscation"), "stream_options")
    if value.get("include_obfuscation") is not None:
        made["stream_options"] = {"include_obfuscation": value["include_obfuscation"]}


MAPPED: Mapping[str, Callable[[Any, Body, Notes], None]] = {
    "logprobs": _logprobs,
    "modalities": _modalities,
    "n": _choices,
    "reasoning_effort": _effort,
    "response_format": _format,
    "store": _store,
    "stream_options": _stream_options,
    "tool_choice": _choice,
    "tools": _tools,
    "verbosity": _verbosity,
    "web_search_options": _web_search,
}
