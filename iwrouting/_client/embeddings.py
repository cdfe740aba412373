"""Embedding a list of texts in requests that the service takes, joined in the caller's order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from iwrouting._client.errors import MixedEmbeddings
from iwrouting._client.flows import Flow, with_timeout
from iwrouting._client.router import Router

ALIAS = "embedding"
MAX_BYTES = 4_000_000
"""Texts of one request as JSON: half of the service's body limit (IW_MAX_BODY_MB, 8)."""
MAX_TEXTS = 2_048
"""Texts of one request (openai-facts.md 6); it bounds the answer too, at about 17 MB for 1,536 dimensions."""


def embedding(router: Router, texts: Sequence[str], model: str | None) -> Flow[list[list[float]]]:
    """The vectors of the texts, in their order, all or nothing.

    Raises what the SDK raises with a note that says which texts the request held, and MixedEmbeddings.
    """
    if isinstance(texts, str):
        raise TypeError("texts: must be a list of strings, got one string")
    vectors: list[list[float]] = []
    served: set[str] = set()
    for part in list(slices(texts)):
        with _noting(part, len(texts)):
            answer = yield from _requesting(router, texts[part], model or ALIAS)
            vectors += _ordered(answer.data, part.stop - part.start)
        served.add(answer.model)
        if len(served) > 1:
            raise MixedEmbeddings(
                f"the embedding model changed midway ({' and '.join(sorted(served))}); embed all again"
            )
    return vectors


def _requesting(router: Router, texts: Sequence[str], model: str) -> Flow[Any]:
    with router.contact() as headers:
        body = with_timeout({"input": texts, "model": model, "extra_headers": headers})
        answer = yield lambda client: client.embeddings.create(**body)
    return answer


def _ordered(data: Sequence[Any], count: int) -> list[list[float]]:
    entries = sorted(data, key=lambda entry: entry.index)
    if [entry.index for entry in entries] != list(range(count)):
        raise ValueError(f"asked for {count} vectors, got {len(entries)}, or their indexes are not 0 to {count - 1}")
    return [[*map(float, entry.embedding)] for entry in entries]


@contextmanager
def _noting(part: slice, count: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(
            f"in texts[{part.start}:{part.stop}] of {count}; an index in the message counts from {part.start}"
        )
        raise


def slices(texts: Sequence[str]) -> Iterator[slice]:
    """Cut the texts into requests under the service's body limit; a text that is over it alone goes alone."""
    start = size = 0
    for index, text in enumerate(texts):
        bytes_ = _json_bytes(index, text)
        if index > start and (size + bytes_ > MAX_BYTES or index - start >= MAX_TEXTS):
            yield slice(start, index)
            start, size = index, 0
        size += bytes_
    if start < len(texts):
        yield slice(start, len(texts))


def _json_bytes(index: int, text: str) -> int:
    if not isinstance(text, str):
        raise TypeError(f"texts[{index}]: must be a string, got {type(text).__name__}")
    try:
        return len(json.dumps(text, ensure_ascii=False).encode()) + 1
    except UnicodeEncodeError as error:
        raise ValueError(
            f"texts[{index}]: holds a lone surrogate at {error.start - 1}; it can't be sent as UTF-8"
        ) from None
