"""What a page needs of who opens it, and the permission that it names where that is missing."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from iwrouting.admin.base import missing

MAY_SEE_CHANGES = "iwrouting.view_change"


def require(request: HttpRequest, *permissions: str) -> None:
    """Raises PermissionDenied that says which permission is missing."""
    for permission in permissions:
        if not request.user.has_perm(permission):
            raise PermissionDenied(missing(permission))
