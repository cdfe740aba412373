"""Chat requests, answers and event streams made at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.translate.cast import ADD, REASONING, Json, call, message, response, said

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(max_size=20)
NAME = st.sampled_from(["add", "sub", "now"])

PART = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url, "detail": "low"}}, TEXT),
    st.just({"type": "file", "file": {"file_id": "file-1"}}),
)
SPOKEN = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["system", "developer", "user"]),
    TEXT | st.lists(PART, min_size=1, max_size=3),
)


@st.composite
def turns(draw: st.DrawFn) -> list[Json]:
    """An assistant's message, with the tool messages that answer its calls."""
    names = draw(st.lists(NAME, max_size=3))
    number = draw(st.integers(0, 10**6))
    calls = [
        {"id": f"call_{number}_{i}", "type": "function", "function": {"name": name, "arguments": draw(TEXT)}}
        for i, name in enumerate(names)
    ]
    content = draw(TEXT if not calls else st.none() | TEXT)
    made: Json = {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}
    return [made, *({"role": "tool", "tool_call_id": each["id"], "content": draw(TEXT)} for each in calls)]


@st.composite
def messages(draw: st.DrawFn) -> list[Json]:
    """A conversation."""
    parts = draw(st.lists(turns() | SPOKEN.map(lambda one: [one]), max_size=4))
    return [draw(SPOKEN), *(each for part in parts for each in part)]


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "n": st.integers(1, 3),
    "stop": st.sampled_from(["x", ["x", "y"]]),
    "seed": st.integers(),
    "logit_bias": st.just({"1": 5}),
    "presence_penalty": st.floats(-2, 2),
    "frequency_penalty": st.floats(-2, 2),
    "prediction": st.just({"type": "content", "content": "x"}),
    "modalities": st.just(["text"]),
    "store": st.booleans(),
    "stream": st.booleans(),
    "max_tokens": st.integers(1, 100),
    "max_completion_tokens": st.integers(1, 100),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 5),
    "metadata": st.just({"a": "b"}),
    "user": TEXT,
    "safety_identifier": TEXT,
    "prompt_cache_key": TEXT,
    "prompt_cache_retention": st.just("24h"),
    "service_tier": st.sampled_from(["auto", "flex"]),
    "reasoning_effort": st.sampled_from(["low", "medium", "high"]),
    "verbosity": st.sampled_from(["low", "high"]),
    "parallel_tool_calls": st.booleans(),
    "tools": st.just([ADD]),
    "tool_choice": st.sampled_from(["auto", "none", {"type": "function", "function": {"name": "add"}}]),
    "web_search_options": st.sampled_from([{}, {"search_context_size": "low"}]),
    "stream_options": st.sampled_from([{"include_usage": True}, {"include_obfuscation": False}]),
    "response_format": st.sampled_from(
        [{"type": "text"}, {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}]
    ),
    "unheard_of": st.just(7),
}


@st.composite
def bodies(draw: st.DrawFn) -> Json:
    """A chat request that a provider could take."""
    names = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=8))
    return {"model": "code", "messages": draw(messages()), **{name: draw(FIELDS[name]) for name in sorted(names)}}


@st.composite
def answers(draw: st.DrawFn) -> Json:
    """A response object with any number of items; every part has a text."""
    output: list[Json] = []
    for index in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["message", "call", "reasoning"]))
        if kind == "message":
            parts = [said(text) for text in draw(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=2))]
            output.append(message(*parts, index=index))
        else:
            output.append(call(draw(NAME), draw(TEXT), index) if kind == "call" else {**REASONING, "id": f"rs_{index}"})
    cut = draw(st.sampled_from([None, "max_output_tokens", "content_filter"]))
    if cut is None:
        return response(*output, background=False)
    return response(*output, background=False, status="incomplete", incomplete_details={"reason": cut})


KINDS = [
    "response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
    "response.content_part.added", "response.content_part.done", "response.output_text.delta",
    "response.output_text.done", "response.refusal.delta", "response.refusal.done",
    "response.function_call_arguments.delta", "response.function_call_arguments.done", "keepalive", "error",
    "response.completed", "response.incomplete", "response.failed", "response.unheard_of",
]  # fmt: skip
ITEMS = st.sampled_from([message(said("one")), call(), REASONING, call(index=2)])
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "response": answers() | JUNK,
    "item": ITEMS | JUNK,
    "part": st.just(said("two")) | JUNK,
    "output_index": st.integers(-1, 3) | JUNK,
    "content_index": st.integers(-1, 3) | JUNK,
    "item_id": st.sampled_from(["msg_0", "fc_0"]) | JUNK,
    "delta": TEXT | JUNK,
    "text": TEXT | JUNK,
    "refusal": TEXT | JUNK,
    "arguments": TEXT | JUNK,
    "error": JUNK,
    "logprobs": JUNK,
}


@st.composite
def event_like(draw: st.DrawFn) -> Json:
    """Something that could be an event, members right or wrong."""
    names = draw(st.sets(st.sampled_from(sorted(MEMBERS)), max_size=6))
    kind = draw(st.sampled_from(KINDS) | JUNK)
    return {"type": kind, **{name: draw(MEMBERS[name]) for name in sorted(names)}}
