"""No call reaches a private or local address: checked again at every connection (design.md 9.5)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from iwrouting.conf import environment
from iwrouting.types import UpstreamFacts
from iwrouting.upstream import Upstreams
from iwrouting.upstream.client import AddressRefused, GuardedResolver


@contextmanager
def counting_listener() -> Iterator[tuple[int, socket.socket]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        listener.setblocking(False)
        yield listener.getsockname()[1], listener


def connections(listener: socket.socket) -> int:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return 0
    return 1


async def post(upstream: UpstreamFacts) -> None:
    upstreams = Upstreams()
    try:
        await upstreams.send(upstream, "/chat/completions", b"{}", attempt_id="a-1")
    finally:
        await upstreams.close()


def test_resolver__name_of_a_local_address__is_refused() -> None:
    async def look_up() -> None:
        await GuardedResolver().resolve("localhost", 80)

    with pytest.raises(AddressRefused, match="no public address"):
        asyncio.run(look_up())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_post__database_upstream_at_a_local_address__never_connects(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "variables", lambda: {"OPENAI_API_KEY": "sk-anything-long"})
    with counting_listener() as (port, listener):
        upstream = UpstreamFacts("mine", f"http://{host}:{port}/v1", "env:OPENAI_API_KEY")
        with pytest.raises(AddressRefused):
            asyncio.run(post(upstream))
        assert connections(listener) == 0


def test_post__environments_own_upstream__is_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "variables", lambda: {"OPENAI_API_KEY": "sk-anything-long"})
    with counting_listener() as (port, listener):
        upstream = UpstreamFacts("environment", f"http://127.0.0.1:{port}/v1", "env:OPENAI_API_KEY", trusted=True)
        with pytest.raises(TimeoutError):
            asyncio.run(post(replace(upstream, first_byte_timeout_s=0.1, connect_timeout_s=0.1)))
        assert connections(listener) == 1


def test_post__name_that_turns_local_after_the_save__is_refused_at_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "variables", lambda: {"OPENAI_API_KEY": "sk-anything-long"})
    with counting_listener() as (port, listener):
        real = socket.getaddrinfo

        def rebound(host: str, *rest: object, **more: object) -> object:
            return real("127.0.0.1" if host == "provider.example" else host, *rest, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", rebound)
        with pytest.raises(AddressRefused):
            asyncio.run(post(UpstreamFacts("mine", f"http://provider.example:{port}/v1", "env:OPENAI_API_KEY")))
        assert connections(listener) == 0
