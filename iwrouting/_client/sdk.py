"""The SDK's clients, bound to the service and deaf to the owner's variables."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import httpx2
from openai import APITimeoutError, AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, Omit, OpenAI

from iwrouting import __version__
from iwrouting._client.errors import RouterUnavailable

MAX_RETRIES = 1
"""For a connection that dies under a request; the service itself retries, falls back and says x-should-retry: false.

Time-outs are not repeated: the call may still run, and would be paid for twice.
"""

ANSWER_TYPES = ("application/json", "text/event-stream")


class _SyncHttp(DefaultHttpxClient):
    # The SDK repeats what httpx2 raises, and passes on what is its own.
    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        try:
            return super().send(request, **kwargs)
        except httpx2.TimeoutException as error:
            raise APITimeoutError(request) from error


class _AsyncHttp(DefaultAsyncHttpxClient):
    async def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        try:
            return await super().send(request, **kwargs)
        except httpx2.TimeoutException as error:
            raise APITimeoutError(request) from error


def _own_headers(client: OpenAI | AsyncOpenAI) -> dict[str, str | Omit]:
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": f"iwrouting-client/{__version__}",
        **client.platform_headers(),
    }


class _Sync(OpenAI):
    # The SDK's own default headers hold OPENAI_ORG_ID, OPENAI_PROJECT_ID and whatever OPENAI_CUSTOM_HEADERS says.
    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return _own_headers(self)


class _Async(AsyncOpenAI):
    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return _own_headers(self)


def _options(root: str, api_key: str) -> dict[str, Any]:
    """Every argument that the SDK would else take from a variable of the owner (None means: read it)."""
    return {
        "base_url": f"{root}/v1",
        "api_key": api_key,
        "admin_api_key": "",
        "organization": "",
        "project": "",
        "webhook_secret": "",
        "max_retries": MAX_RETRIES,
    }


def _refuse_foreign(root: str, response: httpx2.Response) -> None:
    """A success that is neither JSON nor a stream is not the service's: the SDK would hand its text on as an answer."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if response.is_success and kind not in ANSWER_TYPES:
        reason = f"answered {response.status_code} with {kind or 'no content type'}, so something else answers there"
        raise RouterUnavailable(root, reason, response.request)


class Clients:
    """One sync client a process and one async client a running event loop, made when first needed. Safe for threads."""

    def __init__(self, root: str, api_key: str) -> None:
        self._root = root
        self._api_key = api_key
        self._lock = threading.Lock()
        self._sync: dict[int, OpenAI] = {}
        self._async: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}

    def sync(self) -> OpenAI:
        """This process's client: after a fork the child gets its own, because sockets can't be shared."""
        with self._lock:
            process = os.getpid()
            if process not in self._sync:
                self._sync[process] = self._new_sync()
            return self._sync[process]

    def of_loop(self) -> AsyncOpenAI:
        """The running event loop's client. Clients of loops that were closed since are forgotten."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if loop not in self._async:
                self._async = {other: client for other, client in self._async.items() if not other.is_closed()}
                self._async[loop] = self._new_async()
            return self._async[loop]

    def close(self) -> None:
        """Close this process's sync client; the next call makes a new one."""
        with self._lock:
            client = self._sync.pop(os.getpid(), None)
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the running event loop's client; the next call makes a new one."""
        with self._lock:
            client = self._async.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def _new_sync(self) -> OpenAI:
        def check(response: httpx2.Response) -> None:
            _refuse_foreign(self._root, response)

        http = _SyncHttp(event_hooks={"response": [check]})
        return _Sync(http_client=http, **_options(self._root, self._api_key))

    def _new_async(self) -> AsyncOpenAI:
        async def check(response: httpx2.Response) -> None:
            _refuse_foreign(self._root, response)

        http = _AsyncHttp(event_hooks={"response": [check]})
        return _Async(http_client=http, **_options(self._root, self._api_key))
