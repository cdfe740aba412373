"""A pytest plugin: the test processes find no host but this one, as on a machine without a network."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from typing import Any


def is_local(host: object) -> bool:
    """Whether a host name or address is this machine's loopback; empty and None stand for a listener's any."""
    address = _address(host)
    if address is None:
        return host in (None, "", b"", "localhost", b"localhost")
    return address.is_loopback or address.is_unspecified


def _address(host: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _asks_a_server(host: object) -> bool:
    return _address(host) is None and not is_local(host)


def refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook. Fails as a machine without a network does, naming what was tried."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and _asks_a_server(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"the tests look up no host: {arguments[0]!r}")
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _refuse_address(arguments[0], arguments[1])


def _refuse_address(sock: socket.socket, address: Any) -> None:
    if address is not None and sock.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
        raise OSError(errno.ENETUNREACH, f"the tests leave this machine for nobody: {address[0]!r}")


def pytest_configure() -> None:
    """Called by pytest in every process of the run, before any test."""
    sys.addaudithook(refuse_the_network)
