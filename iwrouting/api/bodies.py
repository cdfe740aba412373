"""Request bodies: JSON objects, on the lean routes and in the management API alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from iwrouting.conf import settings
from iwrouting.errors import BadRequest, BodyTooLarge


def read_object(body: bytes) -> dict[str, Any]:
    """A body as a JSON object. Raises BadRequest."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_json")
    return found


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
