"""What a ValidationError says, the same for one about a whole row and one about its fields."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


def told_fields(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Each message with the name of its field, which is empty for one about the whole."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for field, messages in by_field.items():
        yield from (("" if field == NON_FIELD_ERRORS else field, message) for message in messages)


def told_lines(error: ValidationError) -> list[str]:
    """A line for each message, with the field's name where there is one."""
    return [f"{field}: {message}" if field else message for field, message in told_fields(error)]
