"""The parameter rules: what a rung's model needs changed in the caller's request (openai-facts.md 1c). Pure.

Every rung's request is made from the caller's original one. What the catalogue does not surely know is left as it
came: a model that it does not hold gets the caller's request with another model name, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iwrouting.types import Endpoint, ModelFacts
from iwrouting.upstream.params.capabilities import check_capabilities
from iwrouting.upstream.params.chat import NEW_CAP, OLD_CAP, adapt_chat, adapt_for_model, needs_responses
from iwrouting.upstream.params.draft import Draft
from iwrouting.upstream.params.embeddings import adapt_embeddings
from iwrouting.upstream.params.responses import MIN_OUTPUT, adapt_responses

__all__ = ["MIN_OUTPUT", "NEW_CAP", "OLD_CAP", "adapt", "adapt_untranslated", "needs_responses"]

RULES: Mapping[str, Callable[[Draft, ModelFacts], None]] = {
    Endpoint.CHAT: adapt_chat,
    Endpoint.RESPONSES: adapt_responses,
    Endpoint.EMBEDDINGS: adapt_embeddings,
}


def adapt(
    body: Mapping[str, Any], facts: ModelFacts, endpoint: str, *, strict: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The request for one rung, made from the original one, and the changes as `x-iw-changes` tells them.

    A change is one of `dropped X`, `renamed X to Y`, `set X to Y` and `clamped X to N`. `strict` refuses instead,
    but for what takes nothing from the caller: a new name, null, a default that was said. Raises BadRequest that
    names the field where the model can't take the request as it stands.
    """
    draft = Draft({**body, "model": facts.id}, facts.id, strict)
    if facts.verified:
        check_capabilities(body, facts, endpoint)
        RULES[endpoint](draft, facts)
    return draft.body, tuple(draft.changes)


def adapt_untranslated(
    body: Mapping[str, Any], facts: ModelFacts, *, strict: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The same for a chat request that goes on to be translated: the model's own rules without the endpoint's."""
    draft = Draft({**body, "model": facts.id}, facts.id, strict)
    if facts.verified:
        check_capabilities(body, facts, Endpoint.CHAT)
        adapt_for_model(draft, facts)
    return draft.body, tuple(draft.changes)
