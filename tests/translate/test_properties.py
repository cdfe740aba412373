"""What holds for any request, answer and stream: nothing is lost without a word, nothing invented, nothing raises."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.errors import BadRequest
from iwrouting.sandbox.response_events import events as events_of
from iwrouting.types import ModelFacts
from iwrouting.upstream.failures import Failure
from iwrouting.upstream.translate import ResponsesStream, chat_to_responses, responses_to_chat
from tests.harness.samples import sample
from tests.translate.bodies import FIELDS, JUNK, answers, bodies, event_like
from tests.translate.cast import CODEX, FREE, ID, NOW, RESEARCH, Json, chat, chunks_of, joined, streamed

FACTS = st.sampled_from([FREE, CODEX, RESEARCH])
FEW = sample(50, deadline=None)


def tool_kinds(made: Json) -> list[str]:
    """The types of the tools of a Responses request, functions by name."""
    return [str(tool.get("name", tool["type"])) for tool in made.get("tools", ())]


MAPPED: dict[str, Callable[[Any, Json], bool]] = {
    "messages": lambda value, made: bool(made["input"]),
    "model": lambda value, made: bool(made["model"]),
    "n": lambda value, made: bool(value == 1),
    "modalities": lambda value, made: bool(value == ["text"]),
    "logprobs": lambda value, made: value is False or "include" in made,
    "reasoning_effort": lambda value, made: bool(made["reasoning"] == {"effort": value}),
    "verbosity": lambda value, made: bool(made["text"]["verbosity"] == value),
    "response_format": lambda value, made: bool(made["text"]["format"]["type"] == value["type"]),
    "tools": lambda value, made: "add" in tool_kinds(made),
    "web_search_options": lambda value, made: any(kind.startswith("web_search") for kind in tool_kinds(made)),
    "tool_choice": lambda value, made: made["tool_choice"] in (value, {"type": "function", "name": "add"}),
    "stream_options": lambda value, made: "include_usage" in value or made["stream_options"] == value,
    "max_tokens": lambda value, made: bool(made["max_output_tokens"] == max(value, 16)),
    "max_completion_tokens": lambda value, made: bool(made["max_output_tokens"] == max(value, 16)),
}
"""Where each chat field stands in a Responses request, said independently of the code; the others keep their name."""


def is_mapped(name: str, value: Any, made: Json) -> bool:
    """Whether a chat field stands in the Responses request."""
    return MAPPED[name](value, made) if name in MAPPED else name in made and made[name] == value


def refusal(body: Json, facts: ModelFacts, *, strict: bool = False) -> BadRequest | None:
    """How a body is refused; None: it is translated."""
    try:
        chat_to_responses(body, facts, strict=strict)
    except BadRequest as error:
        return error
    return None


TOLD_AS = {"tools": "dropped function tools"}


@FEW
@given(body=bodies(), facts=FACTS)
def test_any_chat_request__is_mapped_or_told_field_by_field(body: Json, facts: ModelFacts) -> None:
    before = copy.deepcopy(body)
    found = chat_to_responses(body, facts)
    assert body == before
    for name, value in body.items():
        told = bool({TOLD_AS.get(name, f"dropped {name}"), f"set {name} to medium"} & set(found.changes))
        assert told or is_mapped(name, value, found.body), name
    clamped = [change for change in found.changes if change.startswith("clamped ")]
    assert len(clamped) == (found.body.get("max_output_tokens") == 16 and least(body) < 16)


def least(body: Json) -> int:
    """The limit on output that counts."""
    limits: list[int] = [body[name] for name in ("max_completion_tokens", "max_tokens") if name in body]
    return (limits or [16])[0]


MEANS_NOTHING: dict[str, tuple[Any, ...]] = {
    "temperature": (1,),
    "top_p": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "parallel_tool_calls": (True,),
    "tool_choice": ("auto",),
    "response_format": ({"type": "text"},),
}
"""What a parameter may hold that is dropped from a strict translation: it says what leaving it out says."""


@FEW
@given(body=bodies(), facts=FACTS)
def test_strict_translation__drops_nothing_but_defaults(body: Json, facts: ModelFacts) -> None:
    told = chat_to_responses(body, facts).changes
    error = refusal(body, facts, strict=True)
    assert error is not None or not any(change.startswith(("set", "clamped")) for change in told)
    assert error is None or any(change.startswith(("dropped", "set", "clamped")) for change in told)
    if error is None:
        assert chat_to_responses(body, facts, strict=True) == chat_to_responses(body, facts)
        dropped = [change.split()[1] for change in told if change.startswith("dropped ")]
        assert all(body[name] in MEANS_NOTHING[name] for name in dropped)
    else:
        assert re.split(r"[.\[]", error.param or "")[0] in body


@FEW
@given(body=bodies())
def test_conversation__keeps_every_text_and_call_in_order(body: Json) -> None:
    made = chat_to_responses(body, FREE).body["input"]
    assert [each for item in made for each in words(item)] == [each for m in body["messages"] for each in words(m)]


def words(given: Mapping[str, Any]) -> list[str]:
    """All texts, calls and outputs of a message or an item, in order; empty texts left out."""
    content = given.get("output", given.get("content"))
    parts = content if isinstance(content, list) else [{"text": content}]
    found = [str(part["text"]) for part in parts if part.get("text")]
    calls = given.get("tool_calls") or ([{"id": given["call_id"], "function": given}] if "arguments" in given else [])
    return found + [f"{c['id']} {c['function']['name']} {c['function']['arguments']}" for c in calls]


@FEW
@given(body=st.dictionaries(st.sampled_from(["messages", "functions", "audio", *FIELDS]), JUNK, max_size=4))
def test_junk__is_translated_or_refused_by_name(body: Json) -> None:
    for facts in (FREE, CODEX, RESEARCH):
        for given_ in (body, {**body, "messages": [{"role": "user", "content": "x"}]}):
            error = refusal(given_, facts)
            assert error is None or error.param


@FEW
@given(inside=st.lists(JUNK, max_size=3), member=st.sampled_from(["content", "tool_calls", "function_call", "refusal"]))
def test_junk_inside_messages__is_translated_or_refused_by_name(inside: list[Any], member: str) -> None:
    for role in ("user", "assistant", "tool", "function"):
        for junk in (inside, [{"type": each} for each in inside], {"name": "x", "arguments": inside}):
            with_junk = {"role": role, "tool_call_id": "c", "name": "x", member: junk}
            error = refusal({"messages": [with_junk]}, FREE)
            assert error is None or str(error.param).startswith("messages[0]")


@FEW
@given(
    body=answers(), members=st.dictionaries(st.sampled_from(["status", "output", "usage", "error"]), JUNK, max_size=2)
)
def test_any_answer__becomes_chat_or_a_failure(body: Json, members: Json) -> None:
    found = responses_to_chat({**body, **members}, chat_id=ID, created=NOW)
    assert isinstance(found, Failure) or found["choices"][0]["finish_reason"]


@FEW
@given(
    body=answers(),
    dropped=st.sets(st.sampled_from([".delta", "_text.done", "part.done", "arguments.done", "item.done"])),
)
def test_stream__says_what_the_whole_answer_says(body: Json, dropped: set[str]) -> None:
    """Also where a provider leaves kinds of events out, as long as what they told comes later."""
    kept = [e.data for e in events_of(body, {}) if isinstance(e.data, dict)]
    kept = [data for data in kept if not data["type"].endswith(tuple(dropped))]
    chunks, stream = streamed(kept, include_usage=True)
    whole = chat(body)
    (choice,) = whole["choices"]
    expected = {name: choice["message"].get(name) for name in ("content", "refusal")}
    expected |= {"tool_calls": choice["message"].get("tool_calls", []), "finish_reason": choice["finish_reason"]}
    assert joined(chunks) == expected
    assert chunks[-1]["usage"] == whole["usage"]
    assert stream.finished


@FEW
@given(events=st.lists(event_like(), max_size=8), include_usage=st.booleans())
def test_any_events__raise_nothing_and_make_whole_chunks(events: list[Json], include_usage: bool) -> None:
    stream = ResponsesStream(ID, created=NOW, include_usage=include_usage)
    for each in events:
        output = stream.output
        made = chunks_of(stream.feed(each))
        assert all(chunk["id"] == ID for chunk in made)
        deltas = [choice["delta"] for chunk in made for choice in chunk["choices"]]
        carries = any(set(delta) - {"role", "refusal"} and "role" not in delta for delta in deltas)
        assert not carries or stream.output or output
    assert not (stream.finished and stream.failure)
    assert stream.finished == bool(stream.finish_reason)


@FEW
@given(events=st.lists(event_like(), max_size=8))
def test_any_events__invent_no_word(events: list[Json]) -> None:
    chunks, _ = streamed(events)
    said = str(events)
    for delta in (choice["delta"] for chunk in chunks for choice in chunk["choices"]):
        for text in (delta.get("content"), delta.get("refusal")):
            assert not text or repr(text)[1:-1] in said


@pytest.mark.parametrize(
    ("name", "value"), [("stop", "x"), ("n", 2), ("store", True), ("tools", []), ("logprobs", True)]
)
def test_field_that_is_not_mapped__would_be_seen(name: str, value: Any) -> None:
    assert not is_mapped(name, value, {"input": [], "model": "x", "store": False})
