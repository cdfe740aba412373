"""The text of an answer: deterministic, and always saying that it is from the sandbox."""

from __future__ import annotations

import hashlib
import re

from iwrouting.sandbox.answer import Json

ECHO_CHARACTERS = 48
MAX_WORDS = 20_000
BYTES_PER_TOKEN = 4
WANTED = re.compile(r"\bwrite (\d{1,6}) words\b", re.IGNORECASE)
FILLER = ("the", "sandbox", "keeps", "writing", "plain", "words", "so", "that", "long", "answers", "stream")


def tokens(text: str) -> int:
    """Tokens of a text by the rule of thumb that the whole project uses: UTF-8 bytes / 4, rounded up."""
    return (len(text.encode("utf-8", "surrogatepass")) + BYTES_PER_TOKEN - 1) // BYTES_PER_TOKEN


def clip(text: str, limit: int) -> str:
    """The longest beginning of `text` that is at most `limit` tokens."""
    data = text.encode("utf-8", "surrogatepass")[: max(limit, 0) * BYTES_PER_TOKEN]
    return data.decode("utf-8", "ignore")


def reply(model: str, heard: str, choice: int = 0) -> str:
    """The answer to the last user text `heard`: model, word count, its first words.

    "write N words" in it asks for a longer answer, of at most 20,000 words.
    """
    words = heard.split()
    echo = " ".join(words)[:ECHO_CHARACTERS]
    more = "..." if len(" ".join(words)) > ECHO_CHARACTERS else ""
    nth = f" (choice {choice + 1})" if choice else ""
    text = f"sandbox: {model} heard {len(words)} words: {echo}{more}{nth}"
    wanted = WANTED.search(heard)
    return text + filler(min(int(wanted.group(1)), MAX_WORDS) - len(text.split())) if wanted else text


def filler(count: int) -> str:
    """`count` words to make an answer long."""
    return "".join(" " + FILLER[i % len(FILLER)] for i in range(max(count, 0)))


def pieces(text: str) -> list[str]:
    """The text cut into the deltas of a stream: one word with the white space before it."""
    return re.findall(r"\s*\S+|\s+$", text) if text else []


def slices(text: str, size: int = 12) -> list[str]:
    """The text cut into deltas of `size` characters, as tool arguments are streamed."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def text_of(content: object) -> str:
    """The text of a message's content: a string, or the text parts of an array."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content if isinstance(part, dict))


def last_user_text(messages: list[Json]) -> str:
    """The text of the last message whose role is `user`, or of the last one."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return text_of(message.get("content"))
    return text_of(messages[-1].get("content")) if messages else ""


def digest(data: bytes) -> str:
    """Twelve hex digits of a request body, for ids."""
    return hashlib.blake2b(data, digest_size=6).hexdigest()
