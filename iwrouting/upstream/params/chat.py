"""The rules of /chat/completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iwrouting.errors import BadRequest
from iwrouting.types import Endpoint, ModelFacts
from iwrouting.upstream.params.draft import Draft
from iwrouting.upstream.params.rules import Words, clamp_output, drop_refused, fit_effort

OLD_CAP = "max_tokens"
NEW_CAP = "max_completion_tokens"
EFFORT = "reasoning_effort"
WORDS = Words(effort=EFFORT, caps=(OLD_CAP, NEW_CAP))


def adapt_chat(draft: Draft, facts: ModelFacts) -> None:
    """The model's rules, and what holds at this endpoint alone."""
    _fit_tools(draft, facts)
    adapt_for_model(draft, facts)
    if draft.get("parallel_tool_calls") is not None and not draft.get("tools"):
        draft.drop("parallel_tool_calls")
    if facts.completion_cap_param == NEW_CAP and draft.has(OLD_CAP):
        _rename_cap(draft)


def adapt_for_model(draft: Draft, facts: ModelFacts) -> None:
    """The model's own rules in chat's words: effort first, because the sampling rule looks at it."""
    fit_effort(draft, facts, WORDS)
    drop_refused(draft, facts, WORDS)
    clamp_output(draft, facts, WORDS)


def needs_responses(body: Mapping[str, Any], facts: ModelFacts) -> bool:
    """Whether a chat request keeps its reasoning at the Responses API alone: function tools, later models (1c)."""
    return Endpoint.RESPONSES in facts.endpoints and facts.verified and _clashes(body, facts)


def _clashes(body: Mapping[str, Any], facts: ModelFacts) -> bool:
    settable = facts.reasoning and EFFORT not in facts.refused_params
    if not settable or not facts.effort_for_tools:
        return False
    taken = not facts.efforts or facts.effort_for_tools in facts.efforts
    if taken and (body.get(EFFORT) or facts.default_effort) == facts.effort_for_tools:
        return False
    tools = body.get("tools")
    return isinstance(tools, list) and any(isinstance(tool, dict) and tool.get("type") == "function" for tool in tools)


def _fit_tools(draft: Draft, facts: ModelFacts) -> None:
    if not _clashes(draft.body, facts):
        return
    if facts.efforts and facts.effort_for_tools not in facts.efforts:
        raise BadRequest(
            f"tools: {facts.id} takes function tools at /v1/responses alone. Ask there, or name another model.",
            param="tools",
            code="unsupported_parameter",
        )
    draft.put(EFFORT, facts.effort_for_tools)


def _rename_cap(draft: Draft) -> None:
    new = draft.get(NEW_CAP)
    if new is None:
        draft.body.pop(NEW_CAP, None)
        draft.rename(OLD_CAP, NEW_CAP)
    elif new == draft.get(OLD_CAP):
        del draft.body[OLD_CAP]
        draft.changes.append(f"dropped {OLD_CAP}")
    else:
        draft.drop(OLD_CAP)
