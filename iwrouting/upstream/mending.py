"""What to change in a request of which the provider refused one parameter: once, at the same model. Pure.

The catalogue's rules come first (params/); this is for what they do not know (openai-facts.md 4a, 400
`unsupported_parameter` and `unsupported_value`). What is not named here is never touched: model, messages, input,
tools, output formats and the like are what the caller asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STREAM = "stream"
REFUSED = "(refused by the provider)"

OPTIONAL = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "metadata",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning",
        "reasoning.effort",
        "reasoning.summary",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "stream_options",
        "stream_options.include_obfuscation",
        "stream_options.include_usage",
        "temperature",
        "text.verbosity",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
"""Parameters without which the request still asks for the same."""

RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""An output limit is never dropped: it bounds what the call may cost."""

TOGETHER = {"logprobs": "top_logprobs"}
"""The second means nothing without the first."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A request without what was refused, and the change as `x-iw-changes` tells it."""

    body: Mapping[str, Any]
    change: str


def mend(body: Mapping[str, Any], param: str) -> Mended | None:
    """The request without the refused parameter, or with it put otherwise; None where that is not ours to change."""
    if param == STREAM:
        return _unstreamed(body)
    if param in RENAMED:
        return _renamed(body, param)
    if param == "reasoning_effort" and body.get("tools") and body.get(param) != "none":
        # From gpt-5.4 on, chat takes function tools only without reasoning, which is not always the default.
        return Mended({**body, param: "none"}, f"set {param} to none {REFUSED}")
    if param not in OPTIONAL:
        return None
    left = _without(body, param.split("."))
    return None if left is None else Mended(left, f"dropped {param} {REFUSED}")


def _unstreamed(body: Mapping[str, Any]) -> Mended | None:
    if not body.get(STREAM):
        return None
    left = {name: value for name, value in body.items() if name not in (STREAM, "stream_options")}
    return Mended(left, f"asked unstreamed {REFUSED}")


def _renamed(body: Mapping[str, Any], param: str) -> Mended | None:
    other = RENAMED[param]
    if body.get(param) is None or body.get(other) is not None:
        return None
    left = {name: value for name, value in body.items() if name != param}
    return Mended({**left, other: body[param]}, f"renamed {param} to {other} {REFUSED}")


def _without(body: Mapping[str, Any], path: list[str]) -> dict[str, Any] | None:
    name, rest = path[0], path[1:]
    if name not in body:
        return None
    left = {key: value for key, value in body.items() if key not in (name, TOGETHER.get(name))}
    if not rest:
        return left
    inner = _without(body[name], rest) if isinstance(body[name], Mapping) else None
    if inner is None:
        return None
    return {**left, name: inner} if inner else left
