"""API keys at the door: found in the snapshot by their hash, no query, no password hashing (design.md 9.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from iwrouting.errors import BadKey, Unavailable
from iwrouting.models import well_formed
from iwrouting.models.keys import hash_key
from iwrouting.snapshot import store
from iwrouting.types import Configuration, KeyFacts

MISSING = "No API key. Send it as 'Authorization: Bearer iw_...'; an operator makes one in the admin, under API keys."


def bearer(header: str) -> str:
    """The key in an Authorization header. Raises BadKey."""
    scheme, _, key = header.partition(" ")
    if not header:
        raise BadKey(MISSING, code="missing_api_key")
    if scheme.lower() != "bearer" or not key.strip():
        raise BadKey("Send the API key as 'Authorization: Bearer iw_...'.")
    return key.strip()


def find_key(config: Configuration, text: str) -> KeyFacts | None:
    """The key as the snapshot knows it, or None."""
    return config.keys.get(hash_key(text))


def check_key(config: Configuration, text: str, *, fresh: bool) -> KeyFacts:
    """The valid key behind a text. Raises BadKey, or Unavailable where no database could be asked (G3).

    `fresh`: the configuration is known to be the newest, so that a key which it does not hold does not exist.
    """
    key = find_key(config, text)
    if key is None:
        if well_formed(text) and not (fresh and config.database):
            raise Unavailable(
                "This API key can't be checked now: the configuration can't be read.", code="key_unchecked"
            )
        raise BadKey("This API key is not known here. Check for a typing error, or ask an operator for a new one.")
    now = datetime.now(UTC)
    if key.revoked_at is not None and key.revoked_at <= now:
        raise BadKey(f"The API key iw_{key.key_id} is revoked: ask an operator for a new one.", code="revoked_api_key")
    if key.expires_at is not None and key.expires_at <= now:
        raise BadKey(f"The API key iw_{key.key_id} has expired: ask an operator for a new one.", code="expired_api_key")
    return key


class KeyAuthentication(BaseAuthentication):
    """DRF authentication of the management API: `request.auth` is the KeyFacts."""

    def authenticate(self, request: Request) -> tuple[None, KeyFacts] | None:
        """The key of the request, or None without an Authorization header. Raises BadKey."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        text = bearer(header)
        if find_key(store.current, text) is None and well_formed(text) and not store.fault:
            # Where the database is known to be away the poller asks it each second: no request waits for that.
            store.check()
        return None, check_key(store.current, text, fresh=not store.fault)

    def authenticate_header(self, request: Request) -> str:
        """What a 401 of DRF's own names."""
        return "Bearer"


class LeanKeyAuthentication(BaseAuthentication):
    """DRF authentication of the lean routes: memory only; the lean view has refreshed the snapshot before."""

    def authenticate(self, request: Any) -> tuple[None, KeyFacts]:
        """The key of the request. Raises BadKey."""
        text = bearer(request.lean_headers.get("authorization", ""))
        return None, check_key(store.current, text, fresh=request.fresh)
