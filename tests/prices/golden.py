"""The golden table: what providers report, and what it costs in pico-dollars, worked out by hand.

`pico` null: unpriced, and `why`. `at`: when it was decided, if not in November 2026. Prices are those of genai-prices.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iwrouting.types import Usage
from iwrouting.upstream import Scanner
from iwrouting.upstream.folding import fold_chat
from iwrouting.upstream.responses import ResponsesScanner
from iwrouting.upstream.sse import DONE, StreamScanner
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner, responses_usage
from iwrouting.upstream.translate.reverse import ChatStream, Echo, ReverseScanner
from iwrouting.upstream.translate.wire import frame_of
from iwrouting.upstream.usage import read_usage

Entry = dict[str, Any]
TABLE: list[Entry] = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))
LATE = datetime(2026, 11, 22, tzinfo=UTC)


def name_of(entry: Entry) -> str:
    """How a test of an entry is called."""
    return str(entry["name"]).replace(" ", "_")


def decided_at(entry: Entry) -> datetime:
    """When the call was decided."""
    return datetime.fromisoformat(entry["at"]) if "at" in entry else LATE


def buffered(entry: Entry) -> Usage | None:
    """The usage as the reader of whole answers finds it."""
    return responses_usage(entry["body"]) if entry["api"] == "responses" else read_usage(entry["body"])


def streamed(entry: Entry) -> dict[str, Usage | None]:
    """The usage as each reader of streams finds it, wherever in a stream a provider may put it."""
    body = entry["body"]
    if entry["api"] == "responses":
        return {f"{kind} {end}": _of_events(kind, end, body) for kind in READERS for end in ("completed", "incomplete")}
    finish = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    growing = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    tier = {"service_tier": body["service_tier"]} if "service_tier" in body else {}
    rest = {name: value for name, value in body.items() if name != "service_tier"}
    places: dict[str, tuple[Entry, ...]] = {
        "after the tier": ({**finish, **tier}, {"choices": [], **rest}),
        "in a chunk of its own": ({**finish, "usage": None}, {"choices": [], **body}),
        "in the last choice": ({**finish, **body},),
        "in every chunk": (
            {"choices": [], **growing} if isinstance(body.get("usage"), dict) else {},
            {**finish, **body},
        ),
    }
    readers = {"relayed": _relayed, "reversed": _reversed, "folded": _folded}
    return {
        f"{way} {place}": read(_frames(*events)) for way, read in readers.items() for place, events in places.items()
    }


def _frames(*events: Entry) -> list[bytes]:
    said: Entry = {"choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": None}
    return [*map(frame_of, (said, *events)), DONE]


def _relayed(frames: list[bytes]) -> Usage | None:
    return _taken(StreamScanner(), frames)


def _reversed(frames: list[bytes]) -> Usage | None:
    return _taken(ReverseScanner(ChatStream(Echo({}, "resp_1", "key", 0))), frames)


def _folded(frames: list[bytes]) -> Usage | None:
    return read_usage(fold_chat(b"".join(frames), 1))


def _taken(scanner: Scanner, frames: list[bytes]) -> Usage | None:
    for frame in frames:
        scanner.take(frame)
    return scanner.usage


READERS: dict[str, Callable[[], Scanner]] = {
    "native": ResponsesScanner,
    "translated": lambda: TranslatingScanner(ResponsesStream("chatcmpl-1")),
}


def _of_events(kind: str, end: str, body: Entry) -> Usage | None:
    scanner = READERS[kind]()
    opening = {"id": "resp_1", "status": "in_progress", "usage": None}
    reason = {"incomplete_details": {"reason": "max_output_tokens"}} if end == "incomplete" else {}
    ended = {"id": "resp_1", "status": end, "output": [], **reason, **body}
    for number, (name, response) in enumerate((("created", opening), (end, ended))):
        event = {"type": f"response.{name}", "sequence_number": number, "response": response}
        scanner.take(f"event: response.{name}\n".encode() + frame_of(event))
    return scanner.usage
