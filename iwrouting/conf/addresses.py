"""Which hosts an upstream may have: never private, link-local, loopback or metadata addresses (design.md 9.5).

Checked at save by what the URL says, and again at connect for every address that the name resolves to. The check
at save must know every spelling of an address: an HTTP client does not ask its resolver about those.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

NAT64 = ipaddress.ip_network("64:ff9b::/96")

INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # the platform address of Azure's machines
        "192.0.0.0/24",  # protocol assignments; a metadata service of Oracle's cloud
        "192.88.99.0/24",  # relays to 6to4, withdrawn
        "64:ff9b:1::/48",  # NAT64 of a local network
        "2001::/23",  # protocol assignments, Teredo among them
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing inside one network
        "fec0::/10",  # site-local, withdrawn
    )
)
"""Ranges that reach inside or nowhere although some releases of Python call them global."""

INSIDE_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".home.arpa", ".metadata.goog")

URL = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII but the backslash: parsers disagree about all else."""

NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")

NO_URL = "Enter a URL such as https://api.openai.com/v1."


def address_allowed(address: str) -> bool:
    """Whether a connection to this IP address may be made: only globally routable ones, unwrapped from IPv6 forms."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (inner := _inner(ip)) is not None:
        return address_allowed(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or any(ip in network for network in INSIDE))


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def url_fault(url: str, *, allow_private: bool = False) -> str:
    """Why this base URL is refused, or an empty string. Looks nothing up: names are checked again at connect.

    The text shows the host and no other part of the URL, which may be a secret.
    """
    url = url.strip()
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return NO_URL
    if "@" in parts.netloc or "?" in url or "#" in url:
        return "The URL must hold no user, password, query or fragment."
    if not _port_is_right(parts):
        return "The URL's port must be a number from 1 to 65535."
    host = parts.hostname
    if not _host_is_right(parts.netloc, host):
        return NO_URL
    if not allow_private and not _host_allowed(host):
        return f"{host} is a private, local or metadata address; calls there are refused."
    return ""


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url) if URL.fullmatch(url) else None
    except ValueError:
        return None


def _port_is_right(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _host_is_right(netloc: str, host: str) -> bool:
    """Whether the host is a name, an IPv4 address, or an IPv6 address in brackets."""
    if not netloc.startswith("["):
        return NAME.fullmatch(host) is not None
    try:
        ipaddress.IPv6Address(host.split("%", 1)[0])
    except ValueError:
        return False
    return True


def _host_allowed(host: str) -> bool:
    name = host.rstrip(".")
    if ":" in name:
        return address_allowed(name)
    try:
        # Forms such as 2130706433 or 0x7f.1 are addresses too.
        return address_allowed(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return "." in name and not f".{name}".endswith(INSIDE_NAMES)
