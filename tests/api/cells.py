"""The cells of the authority table: route x method x caller, and what each must answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from iwrouting.api.authority import ANY_KEY, AUTHORITY, PUBLIC, authority
from iwrouting.types import Scope

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
CALLERS = ["no key", "key without the scope", "key with the scope"]


@dataclass(frozen=True)
class Expected:
    """What a cell must answer: this status, or for None anything but a refusal at the door."""

    status: int | None
    allow: str = ""

    def fits(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether an answer is so."""
        if self.status is None:
            return status not in (401, 403, 405) and status < 500
        return status == self.status and headers.get("allow", "") == self.allow


def expected(route: str, method: str, caller: str) -> Expected:
    """What the table demands."""
    public = PUBLIC in AUTHORITY[route].values()
    needed = authority(route, method)
    if needed == PUBLIC:
        return Expected(None)
    if caller == "no key" and not public:
        return Expected(401)
    if needed is None:
        methods = {*AUTHORITY[route], *(["HEAD"] if "GET" in AUTHORITY[route] else [])}
        return Expected(405, ", ".join(sorted(methods)))
    if caller == "key without the scope" and needed != ANY_KEY:
        return Expected(403)
    return Expected(None)


def wanted_scopes(route: str, method: str, caller: str) -> list[str]:
    """The scopes of a caller's key; none for a caller without one."""
    if caller == "no key":
        return []
    every = [scope.value for scope in Scope]
    if caller == "key with the scope":
        return every
    needed = authority(route, method)
    return [scope for scope in every if scope != needed]


def routes(patterns: list[URLPattern | URLResolver], name: str = "", path: str = "/") -> Iterator[tuple[str, str]]:
    """Every route: its name with the namespaces, and an address under it, whatever it takes."""
    for each in patterns:
        here = path + re.sub(r"<[^>]+>|\(\?P.*\)\$|\^", "1", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, f"{name}{each.namespace}:" if each.namespace else name, here)
        else:
            yield f"{name}{each.name}", here


def of_map(urlconf: str) -> set[str]:
    """The names of a URL map's routes; one for a namespace."""
    return {name.partition(":")[0] for name, _ in routes(get_resolver(urlconf).url_patterns)}
