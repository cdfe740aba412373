"""Embeddings: unit vectors made from the text's hash (openai-facts.md 6)."""

from __future__ import annotations

import base64
import hashlib
import math
from array import array
from functools import lru_cache

from iwrouting.sandbox.answer import Answer, Json, dumps
from iwrouting.sandbox.embedding_rules import Input, checked
from iwrouting.sandbox.lookup import Models


@lru_cache(maxsize=4096)
def vector(seed: bytes, width: int) -> array[float]:
    """A unit vector of `width` float32 values: the same for the same seed, unlike for another."""
    whole = array("h", hashlib.shake_128(seed).digest(width * 2))
    length = math.hypot(*whole) or 1.0
    return array("f", [value / length for value in whole])


def seed(model: str, item: Input) -> bytes:
    """What the vector of one input is made from; vectors of two models have nothing in common."""
    return model.encode() + b"\0" + (item.encode("utf-8", "surrogatepass") if isinstance(item, str) else dumps(item))


def embed(models: Models, request: Json) -> Answer:
    """Answers POST /v1/embeddings; Refused as the real one refuses."""
    asked = checked(models, request)
    data = []
    for index, item in enumerate(asked.items):
        values = vector(seed(asked.model, item), asked.width)
        value = base64.b64encode(values.tobytes()).decode() if asked.base64 else values.tolist()
        data.append({"object": "embedding", "index": index, "embedding": value})
    usage = {"prompt_tokens": asked.tokens, "total_tokens": asked.tokens}
    return Answer({"object": "list", "data": data, "model": asked.model, "usage": usage}, usage=usage)
