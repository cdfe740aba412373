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
from iwrouting.upstream.responses import ResponsesScanner
from iwrouting.upstream.sse import DONE, StreamScanner
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner, responses_usage
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
    return {
        "after the tier": _of_chunks({**finish, **tier}, {"choices": [], **rest}),
        "in a chunk of its own": _of_chunks({**finish, "usage": None}, {"choices": [], **body}),
        "in the last choice": _of_chunks({**finish, **body}),
        "in every chunk": _of_chunks(
            {"choices": [], **growing} if isinstance(body.get("usage"), dict) else {}, {**finish, **body}
        ),
    }


def _of_chunks(*events: Entry) -> Usage | None:
    scanner = StreamScanner()
    said: Entry = {"choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": None}
    for frame in (*map(frame_of, (said, *events)), DONE):
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
