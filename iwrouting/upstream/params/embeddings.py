"""The rules of /embeddings."""

from __future__ import annotations

from iwrouting.errors import BadRequest
from iwrouting.types import ModelFacts
from iwrouting.upstream.params.draft import Draft, shown

DIMENSIONS = "dimensions"


def adapt_embeddings(draft: Draft, facts: ModelFacts) -> None:
    """Drop what the model refuses. `dimensions` only where it asks for the model's own width: vectors of another
    width than asked for would spoil the store that they go into (openai-facts.md 6)."""
    for name in [name for name in draft.body if name in facts.refused_params]:
        value = draft.get(name)
        if name == DIMENSIONS and value is not None and value != facts.dimensions:
            width = f"its vectors are {facts.dimensions} wide" if facts.dimensions else "its vectors have one width"
            raise BadRequest(
                f"dimensions: {facts.id} can't make vectors {shown(value)} wide: {width}. Leave it out, or name "
                "another model.",
                param=DIMENSIONS,
                code="unsupported_parameter",
            )
        if name == DIMENSIONS:
            del draft.body[name]
            draft.changes.append(f"dropped {name}")
        else:
            draft.drop(name)
