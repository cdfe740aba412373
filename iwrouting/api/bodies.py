"""Request bodies: JSON objects, on the lean routes and in the management API alike."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from iwrouting.conf import settings
from iwrouting.errors import BadRequest, BodyTooLarge

DEEP = 200
"""The levels that a body may be nested. A translation adds a few, and orjson writes no more than 254."""

HEADROOM = 254 - DEEP
LONG_NUMBER = re.compile(rb"[0-9]{19}")
MIN_WHOLE, MAX_WHOLE = -(2**63), 2**64 - 1


def read_object(body: bytes) -> dict[str, Any]:
    """A body as a JSON object. Raises BadRequest."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_json")
    _check_depth(body, found)
    _check_numbers(body)
    return found


def _check_depth(body: bytes, found: dict[str, Any]) -> None:
    """Refuse what could be read but not be written again for the provider; asked only where it is possible at all."""
    if body.count(b"[") + body.count(b"{") < DEEP:
        return
    deeper: object = found
    for _ in range(HEADROOM):
        deeper = [deeper]
    try:
        orjson.dumps(deeper)
    except TypeError:
        raise BadRequest(f"The body is nested more than {DEEP} levels deep.", code="invalid_json") from None


def _check_numbers(body: bytes) -> None:
    """Refuse whole numbers of more than 64 bits: they would reach the provider as other numbers."""
    if LONG_NUMBER.search(body) is None:
        return
    json.loads(body, parse_int=_whole_number)


def _whole_number(text: str) -> int:
    number = int(text) if len(text) < 32 else MAX_WHOLE + 1
    if not MIN_WHOLE <= number <= MAX_WHOLE:
        raise BadRequest(f"The number {text[:40]} is too large: use at most 64 bits.", code="invalid_json")
    return number


def too_large(megabytes: int) -> BodyTooLarge:
    """The error for a body over the limit."""
    return BodyTooLarge(f"The body is over the limit of {megabytes} MB; IW_MAX_BODY_MB raises it.")


class ObjectParser(BaseParser):
    """DRF's parser of the management API: one JSON object under IW_MAX_BODY_MB."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object. Raises BadRequest or BodyTooLarge."""
        megabytes = settings().max_body_mb
        limit = megabytes * 1024 * 1024
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise too_large(megabytes)
        return read_object(body)
