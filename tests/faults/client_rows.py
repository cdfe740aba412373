"""The rows C1 to C9 (faults.md 4): what a caller does, and the one answer that it has here.

Each scenario does one thing to a running service and says what the caller got and what the audit holds.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from iwrouting.models import Model
from tests.faults.modes import CHAT, EMBEDDINGS, MODES, RESPONSES, Mode
from tests.live.databases import ALIAS
from tests.live.ledger import Record, eventually, records_of_run
from tests.live.live import Live
from tests.sandbox import raw
from tests.sandbox.raw import Raw

NO_ROWS = "no rows"
ENDPOINTS = {CHAT: "chat", RESPONSES: "responses", EMBEDDINGS: "embeddings"}
LONG = "write 400 words"


@dataclass
class Scene:
    """One scenario at work: its own run, and the caller's connection."""

    live: Live
    run: str
    mode: Mode
    headers: dict[str, str] = field(default_factory=dict)

    def model(self) -> str:
        """The model of this mode that only these rows use."""
        return f"ft:{self.mode.base}:client:{self.mode.served}"

    def body(self, **more: Any) -> dict[str, Any]:
        """A small request of the mode."""
        return self.mode.body(self.model(), **more)

    def request(self, body: object = None, **headers: str) -> bytes:
        """The bytes of a request."""
        given = {"authorization": f"Bearer {self.live.home.key}", "x_iw_run_id": self.run, "host": "127.0.0.1"}
        data = self.body() if body is None else body
        return raw.request_bytes(self.mode.path, data, **{**given, **headers})

    def send(self, body: object = None, **headers: str) -> Raw:
        """One whole request and its answer."""
        return raw.send(self.live.base_url, self.request(body, **headers), 10)

    def plan(self, fault: Any) -> None:
        """What the provider does to this mode's model."""
        self.live.sandbox.plan([{"match": {"model": self.model()}, "fault": fault}])

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A connection with a small window; leaving the block closes it."""
        with raw.connect(self.live.base_url) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            yield sock

    def arrived(self) -> None:
        """Wait until the provider has the request."""
        eventually(lambda: self.live.sandbox.state()["open_requests"] > 1, "the request at the provider")

    def closed(self) -> None:
        """Assert that the provider sees the connection close within a second."""
        eventually(lambda: self.live.sandbox.state()["open_requests"] == 1, "the close at the provider", 1.0)

    def records(self, count: int = 1) -> list[Record]:
        """What the audit holds of this scenario, once so many have their outcome."""
        found = eventually(lambda: [r for r in records_of_run(self.run) if r.outcomes][count - 1 :], "the outcome")
        return found and records_of_run(self.run)

    def audit(self) -> str:
        """The outcome and the tries, in a few words."""
        [record] = self.records()
        tries = ", ".join(f"{'-' if a.status is None else a.status} {a.error_code}".strip() for a in record.calls)
        code = f" {record.outcome.error_code}" if record.outcome.error_code else ""
        return f"{record.outcome.result}{code}" + (f"; tries {tries}" if tries else "")

    def nothing(self) -> str:
        """Assert that there are no rows."""
        assert records_of_run(self.run) == []
        return NO_ROWS


Play = Callable[[Scene], tuple[str, str]]


@dataclass(frozen=True)
class Scenario:
    """A row in one mode: what is played, what the caller must get, what the audit must say."""

    id: str
    title: str
    mode: str
    play: Play
    caller: str
    audit: str


def make_client_rows() -> None:
    """Store the models of these rows."""
    for base, served in {(mode.base, mode.served) for mode in MODES.values()}:
        Model(model_id=f"ft:{base}:client:{served}", endpoints=[served]).save(using=ALIAS)


def told(got: Raw) -> str:
    """Status and code of an answer."""
    if not got.whole or got.status == 0:
        return f"nothing whole ({got.ended})"
    return f"{got.status} {got.error['code'] or 'null'}" if got.status != 200 else "the answer"


def leaves_before_the_body(scene: Scene) -> tuple[str, str]:
    with scene.connected() as sock:
        sock.sendall(scene.request()[:-20])
    assert scene.send().status == 200
    assert len(scene.records()) == 1
    return "-", NO_ROWS


def leaves_while_waiting(scene: Scene) -> tuple[str, str]:
    scene.plan({"delay_ms": 30_000})
    with scene.connected() as sock:
        sock.sendall(scene.request())
        scene.arrived()
    scene.closed()
    return "-", scene.audit()


def leaves_in_the_stream(scene: Scene) -> tuple[str, str]:
    scene.plan({"event_delay_ms": 50})
    with scene.connected() as sock:
        sock.sendall(scene.request(scene.body(**asking(scene, LONG))))
        got = b""
        while b"words" not in got and b"sandbox" not in got:
            got += sock.recv(65536)
    scene.closed()
    assert (scene.records()[0].outcome.bytes_delivered or 0) > 0
    return "-", scene.audit()


def asking(scene: Scene, text: str) -> dict[str, Any]:
    """The member of a request that holds its text."""
    return {"input": text} if scene.mode.path == RESPONSES else {"messages": [{"role": "user", "content": text}]}


def leaves_at_the_last_byte(scene: Scene) -> tuple[str, str]:
    with scene.connected() as sock:
        sock.sendall(scene.request())
        assert raw.receive(sock, 10).whole
    return "the answer", scene.audit()


def reads_nothing(scene: Scene) -> tuple[str, str]:
    scene.plan({"endless": True})
    with scene.connected() as sock:
        sock.sendall(scene.request())
        scene.records()
        got = raw.receive(sock, 5)
    scene.closed()
    return f"cut off ({'whole' if got.whole else 'not whole'})", scene.audit()


def sends_no_body(scene: Scene) -> tuple[str, str]:
    with scene.connected() as sock:
        sock.sendall(scene.request()[:-20])
        got = raw.receive(sock, 10)
    return told(got), scene.nothing()


def sends_no_head(scene: Scene) -> tuple[str, str]:
    with scene.connected() as sock:
        sock.sendall(scene.request()[:30])
        got = raw.receive(sock, 10)
    return told(got), scene.nothing()


def with_bytes(make: Callable[[bytes], bytes], *, rows: bool = False) -> Play:
    """A scenario whose body is made from a good one's bytes."""

    def play(scene: Scene) -> tuple[str, str]:
        got = scene.send(make(json.dumps(scene.body()).encode()))
        return told(got), scene.audit() if rows else scene.nothing()

    return play


def with_member(name: str, value: str) -> Callable[[bytes], bytes]:
    """The body with one more member, its value as given."""
    return lambda body: body[:-1] + f', "{name}": {value}}}'.encode()


def with_text(text: bytes) -> Callable[[bytes], bytes]:
    """The body with other text in it."""
    return lambda body: body.replace(b"Say hello", text).replace(b'"one"', b'"' + text + b'"')


def with_body(**more: Any) -> Play:
    """A scenario whose body has other members."""

    def play(scene: Scene) -> tuple[str, str]:
        got = scene.send({**scene.body(), **more})
        return told(got), scene.audit()

    return play


def with_headers(**headers: str) -> Play:
    """A scenario with more headers."""

    def play(scene: Scene) -> tuple[str, str]:
        got = scene.send(None, **headers)
        return told(got), scene.audit()

    return play


def too_large(scene: Scene) -> tuple[str, str]:
    with scene.connected() as sock:
        sock.sendall(scene.request(b"{", content_length=str(100 * 2**20)))
        got = raw.receive(sock, 10)
    return told(got), scene.nothing()


def too_large_unsaid(scene: Scene) -> tuple[str, str]:
    head = scene.request(b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    with scene.connected() as sock:
        sock.sendall(head)
        got = Raw()
        for _ in range(40):
            try:
                sock.sendall(b"%x\r\n%b\r\n" % (65536, b" " * 65536))
            except OSError:
                break
        got = raw.receive(sock, 10)
    return told(got), scene.nothing()


def shorter_than_said(scene: Scene) -> tuple[str, str]:
    body = json.dumps(scene.body()).encode()
    got = scene.send(body, content_length=str(len(body) - 5))
    return f"{got.status}, {got.headers.get('connection')}", scene.nothing()


def zipped(scene: Scene) -> tuple[str, str]:
    got = scene.send(gzip.compress(b" " * 20_000_000), content_encoding="gzip")
    return told(got), scene.nothing()


def many_headers(scene: Scene) -> tuple[str, str]:
    data = scene.request()
    line, _, rest = data.partition(b"\r\n")
    lots = b"".join(b"x-a-%d: b\r\n" % number for number in range(10_000))
    got = raw.send(scene.live.base_url, line + b"\r\n" + lots + rest, 10)
    return f"{got.status}, {got.headers.get('connection')}", scene.nothing()


def two_keys(scene: Scene) -> tuple[str, str]:
    data = scene.request().replace(b"host: ", b"Authorization: Bearer iw_0000000000_wrong\r\nhost: ", 1)
    return told(raw.send(scene.live.base_url, data, 10)), scene.nothing()


def underscored(scene: Scene) -> tuple[str, str]:
    data = scene.request().replace(b"host: ", b"x_iw_project: elsewhere\r\nx_iw_hop: 1\r\nhost: ", 1)
    got = raw.send(scene.live.base_url, data, 10)
    assert [record.decision.project for record in scene.records()] == [scene.live.home.slug]
    return told(got), scene.audit()


def smuggled_headers(scene: Scene) -> tuple[str, str]:
    got = scene.send(None, x_base_url="http://198.51.100.7/v1", x_upstream="nameless", api_key="sk-other",
                     openai_base_url="http://198.51.100.7/v1", x_litellm_api_key="sk-other")  # fmt: skip
    return told(got), scene.audit()
