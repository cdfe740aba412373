"""What can't be true of a model, whatever way its row is written: each fault by its column, with the next step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from iwrouting.types import EFFORTS, Endpoint, Sampling


class ModelColumns(Protocol):
    """The columns of a model that are judged together."""

    endpoints: Any
    context_window: int | None
    max_input: int | None
    max_output: int | None
    reasoning: bool
    efforts: Any
    default_effort: str
    effort_for_tools: str
    sampling: str
    dimensions: int | None
    vector_space: str


def model_faults(row: ModelColumns) -> dict[str, str]:
    """The faults of a row, the first of each column."""
    found: dict[str, str] = {}
    for faults in (_endpoints(row), _efforts(row), _windows(row), _vectors(row)):
        for column, text in faults:
            found.setdefault(column, text)
    return found


def _endpoints(row: ModelColumns) -> Iterator[tuple[str, str]]:
    known = {endpoint.value for endpoint in Endpoint}
    if not isinstance(row.endpoints, list) or not row.endpoints or not set(row.endpoints) <= known:
        yield "endpoints", f"Choose at least one of {', '.join(sorted(known))}."
    elif Endpoint.EMBEDDINGS in row.endpoints and len(row.endpoints) > 1:
        yield "endpoints", "A model makes embeddings or answers: choose embeddings alone, or take it out."


def _efforts(row: ModelColumns) -> Iterator[tuple[str, str]]:
    efforts = row.efforts if isinstance(row.efforts, list) else []
    words = ", ".join(EFFORTS)
    for column, named in (
        ("efforts", efforts),
        ("default_effort", [row.default_effort]),
        ("effort_for_tools", [row.effort_for_tools]),
    ):
        if unknown := [word for word in named if word and word not in EFFORTS]:
            yield column, f"{unknown[0]!r} is no reasoning effort: choose from {words}."
        elif any(named) and not row.reasoning:
            yield column, "A model that does not reason has no reasoning effort: clear it, or tick Reasoning."
    if efforts and row.default_effort and row.default_effort not in efforts:
        yield "default_effort", f"{row.default_effort!r} is not among its efforts: {', '.join(efforts)}."
    if row.sampling == Sampling.EFFORT_NONE and efforts and "none" not in efforts:
        yield "sampling", "It never has the effort none: choose another rule, or add none to its efforts."


def _windows(row: ModelColumns) -> Iterator[tuple[str, str]]:
    for column, value in (("max_input", row.max_input), ("max_output", row.max_output)):
        if value is not None and row.context_window is not None and value > row.context_window:
            yield column, f"{value:,} tokens are more than the context window of {row.context_window:,}."


def _vectors(row: ModelColumns) -> Iterator[tuple[str, str]]:
    embeds = isinstance(row.endpoints, list) and Endpoint.EMBEDDINGS in row.endpoints
    for column, value in (("dimensions", row.dimensions), ("vector_space", row.vector_space)):
        if value and not embeds:
            yield column, "Only a model with the endpoint embeddings makes vectors: clear it."
