"""HTTP to the upstreams: one aiohttp session per worker and trust level, bytes in, bytes out (design.md 9.3, 9.5)."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from iwrouting import __version__
from iwrouting.conf.addresses import address_allowed, url_fault
from iwrouting.conf.environment import read_secret
from iwrouting.conf.redact import remember_secret, word
from iwrouting.types import UpstreamFacts
from iwrouting.upstream.alarm import Alarm
from iwrouting.upstream.failures import Failure, Step
from iwrouting.upstream.pace import TOO_SLOW, Pace, TimedOut

MAX_ANSWER = 128 * 1024 * 1024
HOP_HEADER = "x-iw-hop"
SECRET_TTL_S = 30.0
KEEPALIVE_S = 4.0
"""A connection that nobody used for so long is not used again: common servers close theirs after 5 seconds, and a
request that meets the closing may or may not have been taken."""
PLAIN_ID = re.compile(r"(?:req_[0-9a-zA-Z]{1,60})?")
"""What OpenAI's ids look like, and no key does: these need no search for secrets."""


class AddressRefused(OSError):
    """The name resolves to an address to which no call may go."""


class MissingSecret(Exception):
    """The upstream's secret reference leads to nothing."""


class GuardedResolver(AbstractResolver):
    """Resolves names and refuses private, local and metadata addresses, at each connection anew."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        allowed = [entry for entry in found if address_allowed(entry["host"])]
        if not allowed:
            raise AddressRefused(f"{host} resolves to no public address")
        return allowed

    async def close(self) -> None:
        await self._inner.close()


@dataclass(slots=True)
class Reply:
    """The head of an answer whose body is still to be read."""

    status: int
    headers: dict[str, str]
    response: aiohttp.ClientResponse
    pace: Pace
    _alarm: Alarm = field(default_factory=Alarm)

    @property
    def event_stream(self) -> bool:
        """Whether the body is server-sent events."""
        return self.headers.get("content-type", "").lower().startswith("text/event-stream")

    @property
    def request_id(self) -> str:
        """The provider's id of the request, without secrets; empty for what is no id."""
        given = self.headers.get("x-request-id", "")
        return given if PLAIN_ID.fullmatch(given) else word(given)

    async def read(self) -> bytes:
        """The whole body. Raises aiohttp.ClientError, TimeoutError, or ValueError above MAX_ANSWER bytes."""
        parts = []
        size = 0
        while part := await self.next_part():
            size += len(part)
            if size > MAX_ANSWER:
                raise ValueError("answer too large")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def next_part(self) -> bytes:
        """What came next, or nothing at the end. Raises aiohttp.ClientError, or TimedOut by one of `pace`'s timers."""
        now = time.monotonic()
        patience, meaning = self.pace.begin(now)
        if meaning == TOO_SLOW:
            raise TimedOut(meaning)
        cancelling = self._alarm.watch(now + patience, now)
        try:
            part = await self.response.content.readany()
        except asyncio.CancelledError:
            if self._alarm.rang(cancelling):
                self.pace.beat(time.monotonic())
                raise TimedOut(meaning) from None
            raise
        finally:
            self._alarm.rest()
        self.pace.end(time.monotonic(), len(part))
        if not part:
            self._alarm.stop()
        return part

    def close(self) -> None:
        """Drop the connection: the provider sees at once that nobody listens."""
        self._alarm.stop()
        self.response.close()


class Upstreams:
    """The sessions of one worker. Make and close it inside its event loop.

    An answer that brings less than `min_bytes_per_s` over `window_s` seconds is given up; 0: none is.
    """

    def __init__(self, *, min_bytes_per_s: float = 0.0, window_s: float = 60.0) -> None:
        self._min_bytes_per_s = min_bytes_per_s
        self._window_s = window_s
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}
        self._secrets: dict[str, tuple[float, str | None]] = {}

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, trusted: bool, fresh: bool) -> aiohttp.ClientSession:
        found = self._sessions.get((trusted, fresh))
        if found is None:
            found = self._sessions[trusted, fresh] = _session(None if trusted else GuardedResolver(), fresh=fresh)
        return found

    async def send(
        self,
        upstream: UpstreamFacts,
        path: str,
        body: bytes,
        *,
        attempt_id: str,
        method: str = "POST",
        fresh: bool = False,
    ) -> Reply:
        """Send one request and return its head. Raises aiohttp.ClientError, TimeoutError, OSError or MissingSecret.

        `fresh`: over a new connection, because one from the pool may have been closed by the provider unseen.
        """
        session = self._session(trusted=upstream.trusted, fresh=fresh)
        if not upstream.trusted and url_fault(upstream.base_url):
            raise AddressRefused("the base URL is not public")
        headers = {
            "Authorization": f"Bearer {self._secret(upstream)}",
            "Content-Type": "application/json",
            "X-Client-Request-Id": attempt_id,
            HOP_HEADER: "1",
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=upstream.connect_timeout_s)
        try:
            async with asyncio.timeout(upstream.connect_timeout_s + upstream.first_byte_timeout_s) as timer:
                response = await session.request(
                    method,
                    upstream.base_url + path,
                    data=body or None,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                )
        except aiohttp.ClientConnectorError as error:
            # aiohttp wraps what its resolver raises.
            if isinstance(error.os_error, AddressRefused):
                raise error.os_error from None
            raise
        except TimeoutError:
            if timer.expired():
                raise TimedOut("timeout_first_byte") from None
            raise
        head = {name.lower(): value for name, value in response.headers.items()}
        pace = Pace(
            time.monotonic(),
            idle_s=upstream.idle_timeout_s,
            head_s=upstream.first_byte_timeout_s,
            min_bytes_per_s=self._min_bytes_per_s,
            window_s=self._window_s,
        )
        return Reply(response.status, head, response, pace)

    def _secret(self, upstream: UpstreamFacts) -> str:
        known = self._secrets.get(upstream.secret_ref)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + SECRET_TTL_S, read_secret(upstream.secret_ref))
            self._secrets[upstream.secret_ref] = known
        if known[1] is None:
            raise MissingSecret(upstream.secret_ref)
        remember_secret(known[1])
        return known[1]


def missing_secret(reference: str) -> Failure:
    """A call that can't be made for want of our own key: an operator's fault, told plainly (design.md 9.10)."""
    name = reference.partition(":")[2] or "OPENAI_API_KEY"
    return Failure(Step.STOP, "configuration_error", "upstream_secret_missing", message=name, account=True)


def _session(resolver: AbstractResolver | None, *, fresh: bool) -> aiohttp.ClientSession:
    # Names are looked up anew for each guarded connection: a cached answer could be rebound.
    arguments: dict[str, Any] = {"limit": 0, "limit_per_host": 0, "use_dns_cache": resolver is None}
    arguments |= {"force_close": True} if fresh else {"keepalive_timeout": KEEPALIVE_S}
    connector = aiohttp.TCPConnector(resolver=resolver, **arguments)
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"iwrouting/{__version__}", "Accept-Encoding": "identity", "Accept": "*/*"},
        read_bufsize=2**18,
        trust_env=False,
    )
