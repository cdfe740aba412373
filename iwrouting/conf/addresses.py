"""Which hosts an upstream may have: never private, link-local, loopback or metadata addresses (design.md 9.5).

Checked at save by what the URL says, and again at connect for every address that the name resolves to.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

NAT64 = ipaddress.ip_network("64:ff9b::/96")


def address_allowed(address: str) -> bool:
    """Whether a connection to this IP address may be made: only globally routable ones, unwrapped from IPv6 forms."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return address_allowed(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def url_fault(url: str, *, allow_private: bool = False) -> str:
    """Why this base URL is refused, or an empty string. Looks nothing up: names are checked again at connect."""
    parts = urlsplit(url.strip())
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "The URL has a port that is no number."
    if parts.scheme not in ("http", "https") or not host:
        return "Enter a URL such as https://api.openai.com/v1."
    if parts.username or parts.password or parts.query or parts.fragment:
        return "The URL must hold no user, password, query or fragment."
    if not allow_private and not _host_allowed(host):
        return f"{host} is a private, local or metadata address; calls there are refused."
    return ""


def _host_allowed(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        # getaddrinfo forms such as 2130706433 or 0x7f.1 are addresses too.
        return address_allowed(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        pass
    try:
        ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return True
    return address_allowed(host)
