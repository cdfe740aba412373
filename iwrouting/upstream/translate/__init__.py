"""Chat requests for models that only the Responses API serves, and their answers back (openai-facts.md 2). Pure."""

from __future__ import annotations

from iwrouting.upstream.translate.request import Translated, chat_to_responses
from iwrouting.upstream.translate.result import responses_to_chat
from iwrouting.upstream.translate.stream import ResponsesStream

__all__ = ["ResponsesStream", "Translated", "chat_to_responses", "responses_to_chat"]
