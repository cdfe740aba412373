"""Requests over a bare socket, for what an HTTP client would hide: cuts, resets, silence, bytes that are no HTTP."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.process import KEY

CHAT = "/v1/chat/completions"


def hello(model: str = "gpt-4.1", **more: Any) -> dict[str, Any]:
    """A small chat request."""
    return {"model": model, "messages": [{"role": "user", "content": "Say hello to the sandbox"}], **more}


@dataclass
class Raw:
    """What came back: `ended` is `open` (nothing more within the time), `closed` or `reset`."""

    data: bytes = b""
    ended: str = "open"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The status of the first answer; 0: none came."""
        return int(self.data[9:12]) if self.data.startswith(b"HTTP/1.1 ") else 0

    @property
    def body(self) -> bytes:
        """The body, chunks joined as far as they came."""
        rest = self.data.partition(b"\r\n\r\n")[2]
        return dechunked(rest)[0] if self.headers.get("transfer-encoding") == "chunked" else rest

    @property
    def whole(self) -> bool:
        """Whether HTTP says that the body is whole."""
        rest = self.data.partition(b"\r\n\r\n")[2]
        if self.headers.get("transfer-encoding") == "chunked":
            return rest.endswith(b"0\r\n\r\n") and dechunked(rest)[1]
        return len(rest) == int(self.headers.get("content-length", -1))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of the body."""
        found: dict[str, Any] = self.json["error"]
        return found

    @property
    def frames(self) -> list[bytes]:
        """The whole SSE frames of the body."""
        return self.body.split(b"\n\n")[:-1]


def dechunked(data: bytes) -> tuple[bytes, bool]:
    """The chunks' contents, and whether the last chunk came."""
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            break
        size = int(data[at:line_end], 16)
        if size == 0:
            return b"".join(parts), True
        parts.append(data[line_end + 2 : line_end + 2 + size])
        at = line_end + 2 + size + 2
    return b"".join(parts), False


def request_bytes(path: str, body: object = None, method: str = "POST", **headers: str) -> bytes:
    """A request as bytes, with the sandbox's key; `headers` add to and replace its headers, _ standing for -."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"host": "sandbox", "authorization": f"Bearer {KEY}", "content-length": str(len(data))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + data


def connect(base_url: str) -> socket.socket:
    """A connection to the sandbox."""
    address = urlsplit(base_url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def send(base_url: str, data: bytes, wait_s: float = 5.0) -> Raw:
    """Sends bytes and reads the answer until it is whole, until the end, or until nothing came for `wait_s`."""
    with connect(base_url) as sock:
        sock.sendall(data)
        return receive(sock, wait_s)


def receive(sock: socket.socket, wait_s: float) -> Raw:
    """Reads one answer."""
    got = Raw()
    sock.settimeout(wait_s)
    try:
        while not (got.headers and got.whole and got.headers.get("connection") != "close"):
            part = sock.recv(65536)
            if not part:
                got.ended = "closed"
                break
            got.data += part
            got.headers = headers_of(got.data)
    except TimeoutError:
        pass
    except ConnectionResetError:
        got.ended = "reset"
    return got


def headers_of(data: bytes) -> dict[str, str]:
    """The headers of an answer; empty as long as they are not whole."""
    head, blank, _ = data.partition(b"\r\n\r\n")
    if not blank:
        return {}
    pairs = (line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}


def post(base_url: str, path: str, body: object, wait_s: float = 5.0, **headers: str) -> Raw:
    """One POST."""
    return send(base_url, request_bytes(path, body, **headers), wait_s)


def get(base_url: str, path: str, method: str = "GET", **headers: str) -> Raw:
    """One request without a body."""
    return send(base_url, request_bytes(path, None, method, **headers))
