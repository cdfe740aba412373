"""Whatever a body holds, the sandbox answers or refuses it; it never fails itself."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iwrouting.sandbox import KEY
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.log import Log
from iwrouting.sandbox.plan import Plan
from iwrouting.sandbox.routing import respond
from iwrouting.sandbox.state import Sandbox
from tests.harness.samples import sample

SANDBOX = Sandbox(log=Log(None), plan=Plan())

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"$ref": "#/$defs/b"}},
    "required": ["a", "b"],
    "additionalProperties": False,
    "$defs": {"b": {"anyOf": [{"type": "array", "items": {"type": "string", "maxLength": 5}}, {"type": "null"}]}},
}
FUNCTION = {"name": "add", "description": "adds", "parameters": SCHEMA, "strict": True}
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}

BODIES: list[tuple[str, dict[str, Any]]] = [
    (
        "/v1/chat/completions",
        {
            "model": "gpt-4.1",
            "messages": [
                {"role": "system", "content": "x", "name": "n"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "call add as json"},
                        {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
                    ],
                },
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_1", "content": "3"},
                {"role": "user", "content": "call add"},
            ],
            "tools": [{"type": "function", "function": FUNCTION}],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CALL]}},
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}},
            "stream": True,
            "stream_options": {"include_usage": True},
            "stop": ["x"],
            "n": 2,
            "logprobs": True,
            "temperature": 0.5,
        },
    ),
    ("/v1/chat/completions", {"model": "gpt-5.1", "messages": [{"role": "user", "content": "x"}], "verbosity": "low"}),
    (
        "/v1/responses",
        {
            "model": "gpt-5-mini",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "call add as json"}]},
                {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "3"}]},
                {"role": "assistant", "content": [{"type": "output_text", "text": "hm"}]},
            ],
            "instructions": "x",
            "tools": [{"type": "function", **FUNCTION}, {"type": "web_search_preview"}],
            "tool_choice": {"type": "function", "name": "add"},
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}, "verbosity": "low"},
            "stream": True,
            "stream_options": {"include_obfuscation": False},
            "metadata": {"a": "b"},
            "max_output_tokens": 100,
        },
    ),
    ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", [1, 2]], "dimensions": 4, "user": "u"}),
]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "auto", "json", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "x", "content", "$ref", "properties"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member and item inside a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in pairs for found in ((*path, key), *places(inner, (*path, key)))]


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the body with another value in one place."""
    whole = copy.deepcopy(body)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return whole


MUTANTS = st.sampled_from(BODIES).flatmap(
    lambda pair: st.builds(
        lambda path, value: (pair[0], changed(pair[1], path, value)), st.sampled_from(places(pair[1])), VALUES
    )
)


def status(path: str, body: Any) -> int:
    """The status of the answer, which can be put into bytes."""
    data = json.dumps(body).encode()
    exchange = Exchange(
        n=1,
        method="POST",
        path=path,
        query="",
        headers={"authorization": f"Bearer {KEY}"},
        body=data,
        bytes_in=len(data),
        request_id="req_1",
    )
    answer, _ = respond(SANDBOX, exchange)
    frames = [answer.body()] if answer.events is None else [event.frame() for event in answer.events]
    assert all(frames)
    return answer.status


def test_the_bodies_are_taken_as_they_are() -> None:
    assert [status(path, body) for path, body in BODIES] == [200] * len(BODIES)


@sample(200, deadline=None)
@given(MUTANTS)
def test_one_changed_place_is_answered_or_refused(mutant: tuple[str, Any]) -> None:
    assert status(*mutant) in (200, 400, 403, 404)
