"""Token counts: of a prompt (openai-facts.md 7), of a cached prefix, and the usage objects of both APIs."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.words import BYTES_PER_TOKEN, text_of, tokens

PER_MESSAGE, PRIMING = 3, 3
PER_FUNCTION, PER_TOOLS = 7, 12
IMAGE_HIGH, IMAGE_LOW = 765, 85
CACHE_FLOOR, CACHE_STEP = 1024, 128
REASONING = {"none": 0, "minimal": 16, "low": 32, "medium": 64, "high": 128, "xhigh": 256}


def image_tokens(content: object) -> int:
    """Tokens of the images among the content parts, by their `detail`."""
    parts = content if isinstance(content, list) else []
    count = 0
    for part in parts:
        if isinstance(part, dict) and part.get("type") in ("image_url", "input_image"):
            inner = part.get("image_url")
            detail = inner.get("detail") if isinstance(inner, dict) else part.get("detail")
            count += IMAGE_LOW if detail == "low" else IMAGE_HIGH
    return count


def tool_tokens(tools: list[Json]) -> int:
    """Tokens of the tool definitions of either API."""
    if not tools:
        return 0
    functions = [tool.get("function") or tool for tool in tools]
    named = (f"{f.get('name', '')}:{f.get('description') or ''}" for f in functions)
    schemas = (json.dumps(f.get("parameters") or {}) for f in functions)
    return PER_TOOLS + sum(PER_FUNCTION + tokens(a) + tokens(b) for a, b in zip(named, schemas, strict=True))


def message_tokens(message: Json) -> int:
    """Tokens of one chat message, or of one Responses item in any of its forms."""
    count = PER_MESSAGE + tokens(str(message.get("role") or message.get("type") or ""))
    content = message.get("content")
    count += tokens(text_of(content)) + image_tokens(content)
    if isinstance(message.get("name"), str):
        count += 1 + tokens(message["name"])
    calls = message.get("tool_calls")
    if calls:
        count += tokens(json.dumps(calls))
    return count + sum(tokens(text_of(message[key])) for key in ("arguments", "output") if key in message)


def prompt_tokens(messages: list[Json], tools: list[Json]) -> int:
    """Tokens of a whole prompt."""
    return PRIMING + sum(message_tokens(m) for m in messages) + tool_tokens(tools)


class PrefixCache:
    """Remembers the prefixes of long prompts per model, so that a repeated one is reported as cached.

    As with the provider, from 1,024 tokens up in steps of 128. Bounded: the oldest prefixes are forgotten.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._limit = limit

    def cached(self, model: str, messages: list[Json], prompt: int) -> int:
        """How many tokens of this prompt were seen before; remembers it."""
        if prompt < CACHE_FLOOR:
            return 0
        found = 0
        for size, key in self._prefixes(model, json.dumps(messages).encode()):
            if key in self._seen:
                found = size
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self._limit:
            self._seen.popitem(last=False)
        return min(found, prompt // CACHE_STEP * CACHE_STEP)

    @staticmethod
    def _prefixes(model: str, data: bytes) -> list[tuple[int, bytes]]:
        running = hashlib.blake2b(model.encode(), digest_size=12)
        keys = []
        done = 0
        for size in range(CACHE_FLOOR, len(data) // BYTES_PER_TOKEN + 1, CACHE_STEP):
            running.update(data[done : size * BYTES_PER_TOKEN])
            done = size * BYTES_PER_TOKEN
            keys.append((size, running.copy().digest()))
        return keys


def chat_usage(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    """The usage object of chat/completions; `completion` includes `reasoning`, `prompt` includes `cached`."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def responses_usage(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    """The usage object of responses, with the integers that strict clients demand (openai-facts.md 10)."""
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + completion,
    }
