"""Random mixed load by real clients, each call a line of the client's log."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from openai import APIError, OpenAI

from tests.faults.storm.arena import Arena
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT, RESPONSES, EMBEDDINGS, RESOLVE = "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/api/v1/resolve"
PATIENCE_S = 40.0
"""Longer than any call may take, the longest SIGSTOP and a restart included."""

TROUBLE: list[dict[str, Any]] = [
    {
        "match": {"model": "gpt-5.1"},
        "sequence": [None, "server_error", None, "reset", None, "overloaded", "content_policy", None],
        "cycle": True,
    },
    {
        "match": {"model": "gpt-4.1-mini", "stream": True},
        "sequence": [None, {"event_delay_ms": 60}, "cut", None, "late_error_event", {"event_delay_ms": 250}, None],
        "cycle": True,
    },
    {
        "match": {"endpoint": ["chat", "responses", "embeddings"], "action": "create"},
        "sequence": [None, None, {"delay_ms": 80}, None, {"delay_ms": 700}, None, None, None, {"delay_ms": 1500}],
        "cycle": True,
    },
]


@dataclass(frozen=True)
class Kind:
    """One kind of call: its path, its body, whose key it carries. `leaves`: the caller goes before the end."""

    path: str
    body: Callable[[random.Random], Any]
    key: str = "plain"
    leaves: bool = False


def _embedding(dice: random.Random) -> dict[str, Any]:
    return {"model": "embedding", "input": ["text"] * dice.choice([1, 3, 20]), "dimensions": 8}


def _chat(*models: str, **more: Any) -> Callable[[random.Random], Any]:
    return lambda dice: hello(dice.choice(models), **more)


def _response(**more: Any) -> Callable[[random.Random], Any]:
    return lambda dice: {"model": dice.choice(["fast", "manager"]), "input": "Say hello", **more}


KINDS: dict[str, Kind] = {
    "chat": Kind(CHAT, _chat("manager", "fast", "auto", "code", "gpt-5.1", "deep")),
    "stream": Kind(CHAT, _chat("manager", "fast", "deep", stream=True), "wide"),
    "response": Kind(RESPONSES, _response()),
    "response stream": Kind(RESPONSES, _response(stream=True), "wide"),
    "embeddings": Kind(EMBEDDINGS, _embedding),
    "resolve": Kind(RESOLVE, lambda dice: {"alias": dice.choice(["manager", "embedding", "fast"])}, "wide"),
    "budget": Kind(CHAT, _chat("fast", "manager"), "budget"),
    "leaver": Kind(CHAT, _chat("fast", "manager"), leaves=True),
    "stream leaver": Kind(CHAT, _chat("fast", stream=True), "wide", leaves=True),
    "unknown model": Kind(CHAT, _chat("no-such-name")),
    "refused": Kind(CHAT, lambda _dice: {"model": "fast", "messages": []}),
    "unparsed": Kind(CHAT, lambda _dice: b"{"),
    "unknown key": Kind(CHAT, _chat("fast"), "none"),
}
WEIGHTS = (30, 25, 8, 8, 8, 7, 6, 5, 6, 3, 3, 2, 2)


@dataclass
class Call:
    """One call as its caller has it. Times by the monotonic clock; `status` 0: no answer came."""

    kind: str
    request_id: str
    decision_id: str
    status: int
    code: str
    began: float
    took: float
    whole: bool
    ended: str

    @property
    def line(self) -> dict[str, Any]:
        """As it stands in the client's log."""
        at = datetime.now(UTC).isoformat()
        return {"at": at, "decision_id": self.decision_id, "request_id": self.request_id, "status": self.status,
                "kind": self.kind, "whole": self.whole, "code": self.code}  # fmt: skip


@dataclass
class Load:
    """So many callers at once until stopped; what they saw is `calls`, and a JSON line each in the client's log."""

    arena: Arena
    seed: int
    callers: int = 6
    pause_s: float = 0.04
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _probes: Iterator[int] = field(default_factory=itertools.count)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin."""
        for number in range(self.callers):
            work = self._by_sdk if number == 0 else self._by_socket
            thread = threading.Thread(target=self._guarded, args=(work, number), name=f"caller-{number}")
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Make no more calls, and wait for those under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.arena.client_log.write_text("".join(json.dumps(call.line) + "\n" for call in self.calls))

    def probe(self) -> Call:
        """One more call at once, of an embedding."""
        ident = f"s{self.seed}-probe-{next(self._probes)}"
        headers = {"host": "127.0.0.1", "authorization": f"Bearer {self.arena.database.keys['plain']}"}
        body = {"model": "embedding", "input": "a", "dimensions": 8}
        data = raw.request_bytes(EMBEDDINGS, body, **headers, **{"x-request-id": ident})
        call = _call("probe", ident, time.monotonic(), send(self.arena.service.url, data, PATIENCE_S))
        with self._lock:
            self.calls.append(call)
        return call

    def one(self, dice: random.Random) -> None:
        """One random call, now."""
        name = dice.choices(list(KINDS), WEIGHTS)[0]
        self._note(self._one(name, f"s{self.seed}-one-{next(self._probes)}", dice))

    def _guarded(self, work: Callable[[int, random.Random], None], number: int) -> None:
        dice = random.Random(f"{self.seed}-{number}")  # noqa: S311 - a load, no secret
        try:
            work(number, dice)
        except Exception as error:
            self.wrong.append(f"caller {number} ended: {type(error).__name__}: {error}")
            raise

    def _by_socket(self, number: int, dice: random.Random) -> None:
        count = 0
        while not self._stop.wait(dice.uniform(0, 2 * self.pause_s)):
            count += 1
            name = dice.choices(list(KINDS), WEIGHTS)[0]
            self._note(self._one(name, f"s{self.seed}-{number}-{count}", dice))

    def _one(self, name: str, request_id: str, dice: random.Random) -> Call:
        kind = KINDS[name]
        key = self.arena.database.keys.get(kind.key, "iw_none")
        headers = {"host": "127.0.0.1", "authorization": f"Bearer {key}", "x-request-id": request_id}
        if kind.key == "wide":
            headers["x-iw-project"] = dice.choice(["north", "south"])
        if kind.key == "budget":
            headers["x-iw-run-id"] = f"run-{self.seed}-{dice.randrange(3)}"
        data = raw.request_bytes(kind.path, kind.body(dice), **headers)
        began = time.monotonic()
        got = send(self.arena.service.url, data, dice.uniform(0.01, 0.6) if kind.leaves else PATIENCE_S)
        return _call(name, request_id, began, got)

    def _by_sdk(self, number: int, dice: random.Random) -> None:
        with OpenAI(base_url="http://127.0.0.1:9/v1", api_key=self.arena.database.keys["plain"]) as sdk:
            count = 0
            while not self._stop.wait(dice.uniform(0, 4 * self.pause_s)):
                count += 1
                self._note(_by_sdk(sdk, self.arena.service.url, f"s{self.seed}-{number}-{count}", count % 2 == 0))

    def _note(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
        if call.status == 0:
            self._stop.wait(0.4)


def send(url: str, data: bytes, wait_s: float) -> Raw:
    """What came back; a caller who waits only so long leaves then."""
    got = Raw(ended="refused")
    with suppress(OSError), raw.connect(url) as link:
        got.ended = "reset"
        link.sendall(data)
        got = raw.receive(link, wait_s)
    return got


def _call(name: str, request_id: str, began: float, got: Raw) -> Call:
    took = time.monotonic() - began
    code = ""
    if got.status >= 400 and got.whole:
        code = str(got.error.get("code"))
    ended = b"[DONE]" in got.body or b"response.completed" in got.body or b"response.incomplete" in got.body
    whole = bool(got.headers) and got.whole and ("stream" not in name or ended)
    ident = got.headers.get("x-iw-decision-id", "")
    if got.headers and got.whole:
        got.ended = "whole"
    return Call(name, request_id, ident, got.status if got.headers else 0, code, began, took, whole, got.ended)


def _by_sdk(sdk: OpenAI, url: str, request_id: str, streamed: bool) -> Call:
    client = sdk.with_options(base_url=f"{url}/v1", max_retries=0, timeout=PATIENCE_S)
    create: Any = client.chat.completions.with_raw_response.create
    name = "sdk stream" if streamed else "sdk"
    began = time.monotonic()
    status, code, ident, whole = 0, "", "", False
    messages = [{"role": "user", "content": "Say hello"}]
    try:
        found = create(model="fast", messages=messages, stream=streamed, extra_headers={"x-request-id": request_id})
        status, ident = 200, found.headers.get("x-iw-decision-id", "")
        answer = found.parse()
        ends = [chunk for chunk in answer if chunk.choices and chunk.choices[0].finish_reason] if streamed else [answer]
        whole = bool(ends)
    except httpx2.TransportError:
        code = "cut"
    except APIError as error:
        answered = getattr(error, "response", None)
        if answered is not None:
            status, ident = answered.status_code, answered.headers.get("x-iw-decision-id", "")
        code = str(error.code)
    return Call(name, request_id, ident, status, code, began, time.monotonic() - began, whole, "sdk")
