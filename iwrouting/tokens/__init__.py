"""Token counts without asking the provider: the cheap estimate, and the exact count (openai-facts.md 7)."""

from __future__ import annotations

from iwrouting.tokens.counting import Count, count_chat, count_embeddings, count_responses
from iwrouting.tokens.encodings import encoding_of, warm
from iwrouting.tokens.estimates import SOURCE_BYTES, estimate
from iwrouting.tokens.files import FileState, TokenizersMissing, prepare, states, tokenizers_dir

__all__ = [
    "SOURCE_BYTES",
    "Count",
    "FileState",
    "TokenizersMissing",
    "count_chat",
    "count_embeddings",
    "count_responses",
    "encoding_of",
    "estimate",
    "prepare",
    "states",
    "tokenizers_dir",
    "warm",
]
