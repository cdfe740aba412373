"""Chat requests for models that only the Responses API serves, and their answers back (openai-facts.md 2). Pure."""

from __future__ import annotations

from iwrouting.upstream.translate.pieces import responses_usage
from iwrouting.upstream.translate.request import Translated, chat_param, chat_to_responses
from iwrouting.upstream.translate.result import responses_to_chat
from iwrouting.upstream.translate.scanner import TranslatingScanner
from iwrouting.upstream.translate.stream import ResponsesStream
from iwrouting.upstream.translate.tools import is_research

__all__ = [
    "ResponsesStream",
    "Translated",
    "TranslatingScanner",
    "chat_param",
    "chat_to_responses",
    "is_research",
    "responses_to_chat",
    "responses_usage",
]
