"""The authority table: every route and method, with the scope that it asks for. What is not in it is refused.

A test compares it with the URL maps, cell by cell. `PUBLIC` needs no key; `STAFF` is the admin's own login and
permissions, whatever the method. HEAD asks for what GET asks for (RFC 9110, 9.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from iwrouting.errors import Forbidden, MethodNotAllowed
from iwrouting.types import KeyFacts, Scope

PUBLIC = "public"
STAFF = "staff"
ANY_KEY = "any key"


def _by_managers(*methods: str) -> Mapping[str, str]:
    return dict.fromkeys(methods, Scope.MANAGE)


AUTHORITY: Mapping[str, Mapping[str, str]] = {
    "healthz": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
    "chat-completions": {"POST": Scope.CALL},
    "responses": {"POST": Scope.CALL},
    "response": {"GET": Scope.CALL, "DELETE": Scope.CALL},
    "response-cancel": {"POST": Scope.CALL},
    "response-input-items": {"GET": Scope.CALL},
    "embeddings": {"POST": Scope.CALL},
    "models": {"GET": ANY_KEY},
    "model": {"GET": ANY_KEY},
    "resolve": {"GET": Scope.RESOLVE, "POST": Scope.RESOLVE},
    "not-found": {},
    "decisions": {"GET": Scope.READ_AUDIT},
    "decision": {"GET": Scope.READ_AUDIT},
    "decision-again": {"GET": Scope.READ_AUDIT},
    "usage": {"GET": Scope.READ_AUDIT},
    "aliases": {"GET": Scope.RESOLVE, "POST": Scope.MANAGE},
    "alias": _by_managers("GET", "PUT", "PATCH", "DELETE"),
    "overrides": _by_managers("GET", "POST"),
    "override": _by_managers("GET", "PUT", "PATCH", "DELETE"),
    "projects": _by_managers("GET", "POST"),
    "project": _by_managers("GET", "PUT", "PATCH", "DELETE"),
    "catalogue-models": _by_managers("GET", "POST"),
    "catalogue-model": _by_managers("GET", "PUT", "PATCH", "DELETE"),
    "upstreams": _by_managers("GET", "POST"),
    "upstream": _by_managers("GET", "PUT", "PATCH", "DELETE"),
    "prices": _by_managers("GET", "POST"),
    "price": _by_managers("GET", "DELETE"),
    "keys": _by_managers("GET", "POST"),
    "key": _by_managers("GET", "PATCH", "DELETE"),
    "key-rotate": _by_managers("POST"),
    "revisions": _by_managers("GET"),
    "revision": _by_managers("GET"),
    "changes": _by_managers("GET"),
    "change": _by_managers("GET"),
    "what-if": {"POST": Scope.MANAGE},
    "telemetry": {"GET": Scope.READ_AUDIT},
    "telemetry-reset": {"POST": Scope.READ_AUDIT},
    "metrics": {"GET": Scope.READ_AUDIT},
    "schema": {"GET": PUBLIC},
    "docs": {"GET": PUBLIC},
    "home": {"GET": PUBLIC},
    "admin": {"*": STAFF},
}


def authority(route: str, method: str) -> str | None:
    """What a route asks for at a method; None: nobody may. `route` is the name in the URL map, with its namespace."""
    row = AUTHORITY.get(route.partition(":")[0], {})
    return row.get("*") or row.get("GET" if method == "HEAD" else method)


def allowed_methods(route: str) -> list[str]:
    """The methods that a route takes, for the header Allow."""
    return sorted({*AUTHORITY.get(route, {}), *(["HEAD"] if authority(route, "HEAD") else [])})


class HasScope(BasePermission):
    """Grants what the table grants to the caller's key; the default of every view.

    A view that `refuses_itself` checks the scope where it has the body too: its refusals are recorded.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or False without a key where one is needed. Raises MethodNotAllowed, or Forbidden without the scope."""
        match = request.resolver_match
        route = match.view_name if match else ""
        needed = authority(route, request.method or "")
        if needed == PUBLIC:
            return True
        key = request.auth if isinstance(request.auth, KeyFacts) else None
        if needed is None and (key or PUBLIC in AUTHORITY.get(route, {}).values()):
            raise _not_allowed(route, request.method or "")
        if key is None or needed is None:
            return False
        if needed != ANY_KEY and needed not in key.scopes and not getattr(view, "refuses_itself", False):
            raise Forbidden(
                f"This key has no scope '{needed}': an operator can add it in the admin.", code="missing_scope"
            )
        return True


def _not_allowed(route: str, method: str) -> MethodNotAllowed:
    allowed = ", ".join(allowed_methods(route))
    error = MethodNotAllowed(f"{method[:20]} is not possible here; possible: {allowed or 'nothing'}.")
    error.extra_headers = {"allow": allowed}
    return error
