"""The checks that chat and responses share: names and types of the body's members, and what each model takes.

The messages and codes follow answers of the real provider seen in public issues; the rules per model are
openai-facts.md 1c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import (
    Refused,
    invalid_type,
    invalid_value,
    listed,
    short,
    unknown,
    unsupported_parameter,
    unsupported_value,
)
from iwrouting.types import ModelFacts, Sampling

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LATER_EFFORTS = ("low", "medium", "high", "xhigh", "max")
MODEL_EFFORTS = {
    "gpt-5.1": ("none", "low", "medium", "high"),
    "gpt-5-mini": ("minimal", "low", "medium", "high"),
    "gpt-5.1-codex": ("low", "medium", "high"),
    "o3-deep-research": ("medium",),
    "gpt-6.1-sol": LATER_EFFORTS,
    **dict.fromkeys(("gpt-6-luna", "gpt-6.1-terra", "gpt-5.6-sol", "gpt-5.6-luna"), ("none", *LATER_EFFORTS)),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A JSON type: its Python types, and its name with article as the provider's messages have it."""

    types: tuple[type, ...]
    name: str


STRING = Kind((str,), "a string")
BOOLEAN = Kind((bool,), "a boolean")
INTEGER = Kind((int,), "an integer")
NUMBER = Kind((int, float), "a decimal")
ARRAY = Kind((list,), "an array")
OBJECT = Kind((dict,), "an object")
STRING_OR_ARRAY = Kind((str, list), "a string or an array")
STRING_OR_OBJECT = Kind((str, dict), "one of a string or an object")


def model_name(request: Json) -> str:
    """The `model` of the body. Refused: missing, or no string."""
    name = request.get("model")
    if name is None or name == "":
        raise Refused(400, "you must provide a model parameter")
    if not isinstance(name, str):
        raise invalid_type("model", "a string", name)
    return name


def members(request: Json, fields: Mapping[str, Kind]) -> None:
    """Refuses members that the endpoint does not know and values of the wrong type; null counts as not given."""
    for name, value in request.items():
        kind = fields.get(name)
        if kind is None:
            raise unknown(short(name))
        if value is not None:
            of_kind(name, value, kind)


def of_kind(param: str, value: object, kind: Kind) -> None:
    """Refuses a value of another JSON type; a boolean is no number."""
    if not isinstance(value, kind.types) or (isinstance(value, bool) and bool not in kind.types):
        raise invalid_type(param, kind.name, value)


def between(request: Json, name: str, low: float, high: float | None = None) -> None:
    """Refuses a number outside its bounds."""
    value = request.get(name)
    if value is None:
        return
    word = "integer" if isinstance(value, int) and isinstance(low, int) else "decimal"
    if value < low:
        message = f"Invalid '{name}': {word} below minimum value. Expected a value >= {low}, but got {value} instead."
        raise Refused(400, message, param=name, code=f"{word}_below_min_value")
    if high is not None and value > high:
        message = f"Invalid '{name}': {word} above maximum value. Expected a value <= {high}, but got {value} instead."
        raise Refused(400, message, param=name, code=f"{word}_above_max_value")


def one_of(request: Json, name: str, supported: tuple[str, ...]) -> None:
    """Refuses a word outside a closed list."""
    value = request.get(name)
    if value is not None and value not in supported:
        raise invalid_value(name, value, supported)


def efforts(facts: ModelFacts) -> tuple[str, ...]:
    """The reasoning efforts that a model takes; for one not in the table, all, and `none` by its sampling rule."""
    if facts.id in MODEL_EFFORTS:
        return MODEL_EFFORTS[facts.id]
    return EFFORTS if facts.sampling is Sampling.EFFORT_NONE else EFFORTS[1:]


def effort(facts: ModelFacts, asked: str | None, param: str) -> str:
    """The effort that a request resolves to; empty on a model that does not reason. Refused: one it does not take."""
    if asked is None:
        return facts.default_effort
    if asked not in EFFORTS:
        raise invalid_value(param, asked, EFFORTS)
    if asked not in efforts(facts):
        message = f"Unsupported value: '{asked}' is not supported with the '{facts.id}' model."
        raise unsupported_value(param, f"{message} Supported values are: {listed(efforts(facts))}.")
    return asked


def samples(facts: ModelFacts, resolved_effort: str) -> bool:
    """Whether the model takes sampling parameters at this effort (openai-facts.md 1c)."""
    if facts.sampling is Sampling.ANY:
        return True
    return facts.sampling is Sampling.EFFORT_NONE and resolved_effort == "none"


def only_default(request: Json, name: str) -> None:
    """Refuses a sampling parameter that is neither missing nor 1."""
    value = request.get(name)
    if value is not None and value != 1:
        message = f"Unsupported value: '{name}' does not support {short(value)} with this model."
        raise unsupported_value(name, f"{message} Only the default (1) value is supported.")


def not_given(request: Json, *names: str) -> None:
    """Refuses parameters that the model does not take at all; null, false and zero count as not given."""
    for name in names:
        if request.get(name):
            raise unsupported_parameter(name)
