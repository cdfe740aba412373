"""Where the service is and with which key: from `configure()`, else from IW_BASE_URL and IW_API_KEY."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

import httpx2

from iwrouting._client.errors import RouterNotConfigured

KEY = re.compile(r"[\x21-\x7e]+")
"""What can stand in an Authorization header."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`root` is the service's address without `/v1` or a trailing slash. `timeout` in seconds; None: the SDK's."""

    root: str
    api_key: str = field(repr=False)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    root: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float | None = None


_given = _Given()


def configure(*, base_url: str | None = None, api_key: str | None = None, timeout: float | None = None) -> None:
    """Set the address and key for the whole process; what is left out comes from IW_BASE_URL and IW_API_KEY.

    Each call replaces the one before, so `configure()` goes back to the environment. `timeout`: seconds that a call may
    wait for the next byte (the SDK's meaning; its default is 600). Raises RouterNotConfigured for a malformed value.
    """
    global _given
    if timeout is not None and not timeout > 0:
        raise RouterNotConfigured("timeout: must be a number of seconds above 0")
    _given = _Given(
        root=None if base_url is None else _root("base_url", base_url),
        api_key=None if api_key is None else _key("api_key", api_key),
        timeout=timeout,
    )


def settings() -> Settings:
    """The settings now in force. Raises RouterNotConfigured, which names the variable that is missing or malformed."""
    given = _given
    return Settings(
        root=given.root
        or _root("IW_BASE_URL", _variable("IW_BASE_URL", "the service's address, such as http://127.0.0.1:8000")),
        api_key=given.api_key
        or _key("IW_API_KEY", _variable("IW_API_KEY", "an API key of the service, such as iw_...")),
        timeout=given.timeout,
    )


def _variable(name: str, meaning: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise RouterNotConfigured(f"{name}: not set; set it to {meaning}, or call iwrouting.client.configure()")
    return value


def _root(name: str, value: str) -> str:
    try:
        url = httpx2.URL(value.strip())
    except (httpx2.InvalidURL, TypeError):
        raise RouterNotConfigured(f"{name}: is not a URL; give one such as http://127.0.0.1:8000") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise RouterNotConfigured(f"{name}: must begin with http:// or https:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise RouterNotConfigured(f"{name}: must hold no user name, password, query or fragment")
    return str(url).rstrip("/").removesuffix("/v1").rstrip("/")


def _key(name: str, value: str) -> str:
    if not KEY.fullmatch(value.strip()):
        raise RouterNotConfigured(f"{name}: must be printable ASCII without spaces")
    return value.strip()
