"""The ways in which a call can go through us: what is asked, how the answer comes, and which API serves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

QUESTION = "Say hello to the sandbox"
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"


@dataclass(frozen=True)
class Mode:
    """One way. `served`: the API of the first model, so that another than `path`'s is a translation."""

    name: str
    path: str
    served: str
    stream: bool = False
    base: str = "gpt-4.1-mini"

    @property
    def chained(self) -> bool:
        """Whether a call can go on to another model."""
        return self.path != EMBEDDINGS

    def body(self, model: str, **more: Any) -> dict[str, Any]:
        """A small request."""
        if self.path == EMBEDDINGS:
            return {"model": model, "input": ["one", "two", "three"], "dimensions": 4, **more}
        streamed = {"stream": True} if self.stream else {}
        if self.path == RESPONSES:
            return {"model": model, "input": QUESTION, **streamed, **more}
        return {"model": model, "messages": [{"role": "user", "content": QUESTION}], **streamed, **more}


MODES = {
    mode.name: mode
    for mode in (
        Mode("chat", CHAT, "chat"),
        Mode("chat streamed", CHAT, "chat", stream=True),
        Mode("chat by responses", CHAT, "responses"),
        Mode("chat by responses streamed", CHAT, "responses", stream=True),
        Mode("responses", RESPONSES, "responses"),
        Mode("responses streamed", RESPONSES, "responses", stream=True),
        Mode("responses by chat", RESPONSES, "chat"),
        Mode("responses by chat streamed", RESPONSES, "chat", stream=True),
        Mode("embeddings", EMBEDDINGS, "embeddings", base="text-embedding-3-small"),
    )
}

ALL = tuple(MODES)
BUFFERED = tuple(name for name, mode in MODES.items() if not mode.stream)
STREAMED = tuple(name for name, mode in MODES.items() if mode.stream)
CHATS = tuple(name for name, mode in MODES.items() if mode.served == "chat")
BY_RESPONSES = tuple(name for name, mode in MODES.items() if mode.served == "responses")
TALK = tuple(name for name, mode in MODES.items() if mode.chained)
TALK_BUFFERED = tuple(name for name in BUFFERED if MODES[name].chained)
VECTORS = ("embeddings",)
