"""The most output that a run's budget leaves to a request, in the words of the API that it goes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iwrouting.types import Endpoint, ModelFacts

RESPONSES_CAP = "max_output_tokens"
CHAT_CAPS = ("max_completion_tokens", "max_tokens")


def cap_output(
    body: Mapping[str, Any], facts: ModelFacts, endpoint: str, cap: int
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request with no more than `cap` tokens of output a choice, and the change as `x-iw-changes` tells it.

    What the caller asked for stays where it is within the cap; a limit that is no whole number from 1 up is none.
    """
    if endpoint == Endpoint.EMBEDDINGS:
        return body, ()
    names = (RESPONSES_CAP,) if endpoint == Endpoint.RESPONSES else CHAT_CAPS
    given = [name for name in names if body.get(name) is not None]
    if given and all(type(body[name]) is int and 1 <= body[name] <= cap for name in given):
        return body, ()
    usual = RESPONSES_CAP if endpoint == Endpoint.RESPONSES else facts.completion_cap_param
    name, most = given[0] if given else usual, min(cap, facts.max_output or cap)
    left = {key: value for key, value in body.items() if key not in names}
    return {**left, name: most}, (f"capped {name} to {most} (run budget)",)
