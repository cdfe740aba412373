"""A service on loopback with a key of its own for each test, a clean environment, and both faces of the client."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from iwrouting import client
from tests.client.service import Service

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of the owner's variables and none of ours; connections closed afterwards."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "IW_")):
            monkeypatch.delenv(name)
    client.configure()
    yield
    client.configure()
    client.close()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service, to which IW_BASE_URL and IW_API_KEY point."""
    running = Service()
    monkeypatch.setenv("IW_BASE_URL", running.url)
    monkeypatch.setenv("IW_API_KEY", f"iw_test_{next(_numbers)}")
    yield running
    client.close()
    running.stop()


class Face:
    """One face of the client: `face.resolve("manager")` runs `resolve`, or `aresolve` in an event loop of its own."""

    def __init__(self, name: str) -> None:
        self.is_async = name == "async"

    def __getattr__(self, name: str) -> Any:
        return self._caller(name)

    def chunks(self, name: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Read a stream to its end."""
        if not self.is_async:
            return list(getattr(client, name)(*args, **kwargs))
        return asyncio.run(self._read(name, *args, **kwargs))

    def _caller(self, name: str) -> Any:
        if not self.is_async:
            return getattr(client, name)
        return lambda *args, **kwargs: asyncio.run(self._call(name, *args, **kwargs))

    async def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await getattr(client, "a" + name)(*args, **kwargs)
        finally:
            await client.aclose()

    async def _read(self, name: str, *args: Any, **kwargs: Any) -> list[Any]:
        try:
            return [chunk async for chunk in await getattr(client, "a" + name)(*args, **kwargs)]
        finally:
            await client.aclose()


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Face:
    """The sync functions, then the async ones: a test that takes it holds for both."""
    return Face(request.param)
