"""The other direction: a Responses client at a model that is served through chat (openai-facts.md 2c). Pure."""

from __future__ import annotations

from iwrouting.upstream.translate.reverse.request import request_for_chat, responses_param
from iwrouting.upstream.translate.reverse.result import Echo, chat_to_response
from iwrouting.upstream.translate.reverse.scanner import ReverseScanner
from iwrouting.upstream.translate.reverse.stream import ChatStream

__all__ = ["ChatStream", "Echo", "ReverseScanner", "chat_to_response", "request_for_chat", "responses_param"]
