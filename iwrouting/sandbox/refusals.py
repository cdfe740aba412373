"""The refusal of a request, in the provider's error shape (openai-facts.md 4)."""

from __future__ import annotations

from typing import Any

INVALID = "invalid_request_error"


class Refused(Exception):
    """A request that is answered with an error: HTTP status and the four members of the provider's error object."""

    def __init__(
        self, status: int, message: str, *, kind: str = INVALID, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """`{"error": {...}}`; `param` and `code` are always present and may be null."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def invalid_type(param: str, expected: str, value: object) -> Refused:
    """400 for a value of the wrong JSON type. `expected` carries its article: "a string", "an array"."""
    message = f"Invalid type for '{param}': expected {expected}, but got {json_kind(value)} instead."
    return Refused(400, message, param=param, code="invalid_type")


def invalid_value(param: str, value: object, supported: tuple[str, ...]) -> Refused:
    """400 for a word outside a closed list."""
    message = f"Invalid value: '{short(value)}'. Supported values are: {listed(supported)}."
    return Refused(400, message, param=param, code="invalid_value")


def missing(param: str) -> Refused:
    """400 for a member that has to be there."""
    return Refused(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown(param: str) -> Refused:
    """400 for a member that the endpoint does not know."""
    return Refused(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def unsupported_parameter(param: str, hint: str = "") -> Refused:
    """400 for a parameter that this model does not take at all."""
    message = f"Unsupported parameter: '{param}' is not supported with this model.{hint}"
    return Refused(400, message, param=param, code="unsupported_parameter")


def unsupported_value(param: str, message: str) -> Refused:
    """400 for a value that this model does not take."""
    return Refused(400, message, param=param, code="unsupported_value")


def json_kind(value: object) -> str:
    """A JSON value's type as the provider's messages name it, with its article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array"}
    return names.get(type(value), "an object")


def short(value: object) -> str:
    """A refused value, cut to 40 characters: enough to find it, too little to carry a text away."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def listed(words: tuple[str, ...]) -> str:
    """`'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`."""
    quoted = [f"'{word}'" for word in words]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + ", and " + quoted[-1]
