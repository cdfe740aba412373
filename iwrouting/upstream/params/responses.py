"""The rules of /responses, for a caller who speaks it."""

from __future__ import annotations

from iwrouting.types import ModelFacts
from iwrouting.upstream.params.draft import Draft
from iwrouting.upstream.params.rules import Words, clamp_output, drop_refused, fit_effort, refused

MIN_OUTPUT = 16
"""The smallest `max_output_tokens` that the provider takes (openai-facts.md 2a)."""

LOGPROBS = "message.output_text.logprobs"
"""How `include` asks for what chat calls `logprobs`."""

WORDS = Words(
    effort="reasoning.effort",
    caps=("max_output_tokens",),
    min_output=MIN_OUTPUT,
    places={
        "reasoning_effort": "reasoning.effort",
        "reasoning_summary": "reasoning.summary",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
    },
)


def adapt_responses(draft: Draft, facts: ModelFacts) -> None:
    """Effort first, because the sampling rule looks at it; then what is refused, then the cap."""
    fit_effort(draft, facts, WORDS)
    include = draft.get("include")
    if isinstance(include, list) and LOGPROBS in include and "logprobs" in refused(draft, facts, WORDS):
        draft.drop_item("include", LOGPROBS)
    drop_refused(draft, facts, WORDS)
    clamp_output(draft, facts, WORDS)
