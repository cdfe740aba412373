"""The chain of hashes through the rows of one writer (design.md 6). Pure.

h = HMAC-SHA256(key, previous hash || canonical row), in hex. The canonical row is JSON: the table, then the columns in
the order of their names, times in UTC, without `chain_hash` and without what is null or an empty text. So a column that
a later release adds changes no hash of an earlier row, if it begins as null or as an empty text.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

HASH = "chain_hash"
FIRST = ""
"""What precedes the first row of a writer."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


@dataclass(frozen=True, slots=True)
class AuditKey:
    """A key of the audit and the id under which rows name it; the id tells nothing of the key."""

    id: str
    secret: bytes = field(repr=False)


def make_key(text: str) -> AuditKey:
    """The key behind a text of the settings."""
    secret = text.encode()
    return AuditKey(hmac.digest(secret, b"iwrouting audit key", "sha256").hex()[:16], secret)


def canonical(table: str, row: Mapping[str, Any]) -> bytes:
    """The bytes of a row that are hashed. Times must be aware. Raises TypeError for what JSON can't hold."""
    kept = {name: value for name, value in row.items() if value is not None and value != "" and name != HASH}
    return orjson.dumps([table, kept], option=_OPTIONS)


def link(key: AuditKey, previous: str, covered: bytes) -> str:
    """The hash of what comes after `previous`."""
    return hmac.digest(key.secret, previous.encode() + covered, "sha256").hex()
