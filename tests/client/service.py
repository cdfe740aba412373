"""A small HTTP server that plays the routing service: resolve with ETag, chat, streams, embeddings; faults to order."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MATRIX = {
    "manager": ("role", "gpt-from-the-service"),
    "summary": ("role", "gpt-summary"),
    "fast": ("chat_mode", "gpt-fast"),
    "deep": ("chat_mode", "gpt-deep"),
    "auto": ("chat_mode", "gpt-auto"),
    "embedding": ("embedding", "vectors-1"),
}
JSON = "application/json"


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes


@dataclass(frozen=True)
class Reply:
    """One answer to order. `status` 0: hang up without an answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    delay_s: float = 0.0


def error(status: int, code: str, message: str = "no", **headers: str) -> Reply:
    """An error as the service words it."""
    fields = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps({"error": fields}).encode(), named)


class Service:
    """Starts on a free port of loopback and can be stopped, cutting open connections, and started again on the same."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.orders: deque[Reply] = deque()
        self.matrix = dict(MATRIX)
        self.ttl_s: float = 60
        self.revision = 7
        self.vectors_as = "base64"
        self._port = 0
        self._server: _Server | None = None
        self.start()

    @property
    def url(self) -> str:
        """The service's root."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None

    def order(self, *replies: Reply) -> None:
        """Answer the next requests with these, whatever they ask."""
        self.orders.extend(replies)

    def of(self, path: str) -> list[Received]:
        """What arrived at one path."""
        return [request for request in self.received if request.path == path]

    @property
    def resolves(self) -> list[Received]:
        """What arrived at the resolve API."""
        return self.of("/api/v1/resolve")

    @property
    def calls(self) -> list[Received]:
        """What arrived at chat completions."""
        return self.of("/v1/chat/completions")

    def wait_for_calls(self, count: int) -> None:
        """Block until so many chat calls arrived."""
        while len(self.calls) < count:
            time.sleep(0.005)

    def reports(self) -> list[str | None]:
        """The fallback report of each request, in order."""
        return [request.headers.get("x-iw-client-fallbacks") for request in self.received]

    def reply(self, request: Received) -> Reply:
        """The answer to one request."""
        if self.orders:
            return self.orders.popleft()
        if request.path == "/api/v1/resolve":
            return self._resolve(request)
        if request.path == "/v1/chat/completions":
            return self._chat(request.body)
        if request.path == "/v1/embeddings":
            return self._embed(request.body)
        return error(404, "not_found", f"no {request.path}")

    def _resolve(self, request: Received) -> Reply:
        alias = request.query["alias"]
        if alias not in self.matrix:
            return error(404, "model_not_found", f"No alias {alias!r} exists. Did you mean 'manager'?")
        kind, model = self.matrix[alias]
        answer = {
            "decision_id": None,
            "alias": alias,
            "kind": kind,
            "inferred_mode": None,
            "reason": None,
            "features": None,
            "model": model,
            "upstream": "openai",
            "source": "override",
            "ladder": [{"source": "override", "value": model, "state": "used", "ref": "override:1"}],
            "chain": [{"rung": 0, "alias": alias, "model": model, "source": "override", "skip": None}],
            "warnings": ["shutdown_soon"],
            "revision": self.revision,
            "environment_id": "e1",
            "ttl_s": self.ttl_s,
        }
        etag = '"' + hashlib.sha256(f"{answer}{request.query}".encode()).hexdigest()[:16] + '"'
        if request.headers.get("if-none-match") == etag:
            return Reply(304, b"", {"ETag": etag})
        return Reply(200, json.dumps(answer).encode(), {"ETag": etag})

    def _chat(self, body: dict[str, Any]) -> Reply:
        whole = {"id": "c1", "created": 1, "model": "gpt-served"}
        if not body.get("stream"):
            message = {"role": "assistant", "content": f"{body['model']} answers"}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            return Reply(200, json.dumps({**whole, "object": "chat.completion", "choices": choices}).encode())
        chunks = [
            {
                **whole,
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
            }
            for delta, end in (({"content": "one "}, None), ({"content": "two"}, None), ({}, "stop"))
        ]
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return Reply(200, "".join([*events, "data: [DONE]\n\n"]).encode(), content_type="text/event-stream")

    def _embed(self, body: dict[str, Any]) -> Reply:
        model = self.matrix["embedding"][1] if body["model"] == "embedding" else body["model"]
        vectors = [vector(text) for text in body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": self._encoded(values)}
            for index, values in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        whole = {"object": "list", "model": model, "data": data[::-1], "usage": usage}
        return Reply(200, json.dumps(whole).encode())

    def _encoded(self, values: list[float]) -> object:
        if self.vectors_as == "base64":
            return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
        return [int(value) for value in values]


def vector(text: str) -> list[float]:
    """The vector that the service gives a text: its length and its first and last character."""
    return [float(len(text)), float(ord(text[0])), float(ord(text[-1]))]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the test cut is no news."""

    def cut(self) -> None:
        for connection in list(self._open):
            self.shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        request = Received(
            method=self.command,
            path=url.path,
            query={name: values[-1] for name, values in parse_qs(url.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(raw) if raw else None,
            raw=raw,
        )
        self.server.service.received.append(request)
        reply = self.server.service.reply(request)
        time.sleep(reply.delay_s)
        if reply.status == 0:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
