"""Reads chat messages of any shape, well-formed or not: who speaks, what text, how many images and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from iwrouting.autoroute import rules

ASKING = "user"
INSTRUCTING = ("system", "developer")  # instructions of the application, not what is asked
IMAGE_PARTS = frozenset({"image_url", "input_image"})
FILE_PARTS = frozenset({"file", "input_file", "input_audio", "audio"})


class Content(NamedTuple):
    """What a message holds. `text` is what it says, whole."""

    text: str
    images: int = 0
    files: int = 0


def spoken(messages: object) -> list[Mapping[str, Any]]:
    """The messages that aren't instructions, oldest first; at most `MESSAGES_MAX`, the newest. Junk is left out."""
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes | bytearray):
        return []
    newest = list(messages)[-rules.MESSAGES_MAX :]
    return [each for each in newest if isinstance(each, Mapping) and each.get("role") not in INSTRUCTING]


def asks(message: Mapping[str, Any]) -> bool:
    """Whether the user speaks."""
    return bool(message.get("role") == ASKING)


def content(message: Mapping[str, Any]) -> Content:
    """The content of a message: a string, a list of parts, or anything else, which counts as nothing."""
    held = message.get("content")
    if isinstance(held, str):
        return Content(held)
    if not isinstance(held, Sequence) or isinstance(held, bytes | bytearray):
        return Content("")
    parts = [each for each in _ends(held) if isinstance(each, Mapping)]
    kinds = [kind for each in parts if isinstance(kind := each.get("type"), str)]
    texts = [text for each in parts if isinstance(text := each.get("text"), str)]
    return Content("\n".join(texts), sum(k in IMAGE_PARTS for k in kinds), sum(k in FILE_PARTS for k in kinds))


def _ends(parts: Sequence[Any]) -> list[Any]:
    every = list(parts)
    return every if len(every) <= 2 * rules.PARTS_MAX else every[: rules.PARTS_MAX] + every[-rules.PARTS_MAX :]


def ends(text: str, head: int, tail: int) -> str:
    """The first `head` and the last `tail` characters, or the whole text if it isn't longer."""
    return text if len(text) <= head + tail else f"{text[:head]}\n{text[-tail:]}"
