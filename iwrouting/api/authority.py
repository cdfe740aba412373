"""The authority table: every route and method, with the scope that it asks for. What is not in it is refused.

A test compares it with the URL maps. `PUBLIC` needs no key; `STAFF` is the admin's own login and permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from iwrouting.errors import Forbidden
from iwrouting.types import KeyFacts, Scope

PUBLIC = "public"
STAFF = "staff"
ANY_KEY = "any key"

AUTHORITY: Mapping[str, Mapping[str, str]] = {
    "healthz": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
    "chat-completions": {"POST": Scope.CALL},
    "embeddings": {"POST": Scope.CALL},
    "models": {"GET": ANY_KEY},
    "model": {"GET": ANY_KEY},
    "resolve": {"GET": Scope.RESOLVE, "POST": Scope.RESOLVE},
    "not-found": {},
    "decision": {"GET": Scope.READ_AUDIT},
    "aliases": {"GET": Scope.RESOLVE},
    "project": {"GET": Scope.MANAGE, "PUT": Scope.MANAGE},
    "schema": {"GET": PUBLIC},
    "docs": {"GET": PUBLIC},
    "home": {"GET": PUBLIC},
}


class HasScope(BasePermission):
    """Grants what the table grants to the caller's key; the default of every view."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or Forbidden that names the missing scope."""
        match = request.resolver_match
        method = "GET" if request.method == "HEAD" else request.method or ""
        needed = AUTHORITY.get(match.view_name if match else "", {}).get(method)
        if needed == PUBLIC:
            return True
        key = request.auth
        if needed is None or not isinstance(key, KeyFacts):
            return False
        if needed != ANY_KEY and needed not in key.scopes:
            raise Forbidden(
                f"This key has no scope '{needed}': an operator can add it in the admin.", code="missing_scope"
            )
        return True
