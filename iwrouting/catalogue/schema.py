"""What an entry of models.json must hold, checked when the file is read: each fault names the entry and the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any

from iwrouting.types import EFFORTS, HOSTED_TOOLS, MODALITIES, PARAMETERS, TIERS, Endpoint, Sampling

Check = Callable[[Any], str]
Entry = Mapping[str, Any]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
DOLLARS = re.compile(r"\d{1,6}\.\d{2,6}")
PRICES = ("input", "cached", "output")
MAX_SOURCE = 300


class CatalogueFault(ValueError):
    """The catalogue file does not hold what it must; the message names every entry and field at fault."""


def check_models(data: Any) -> None:
    """Raise CatalogueFault that lists everything wrong with a models.json."""
    found = list(_faults(data))
    if found:
        raise CatalogueFault("models.json: " + "; ".join(found))


def _faults(data: Any) -> Iterator[str]:
    if not isinstance(data, dict) or set(data) != {"version", "models"} or not isinstance(data["models"], list):
        yield "expected an object with version and models"
        return
    if not isinstance(data["version"], str) or not data["version"]:
        yield "version: expected a text"
    entries = [entry if isinstance(entry, dict) else {} for entry in data["models"]]
    ids = [entry.get("id") for entry in entries]
    for index, entry in enumerate(entries):
        name = entry.get("id") if isinstance(entry.get("id"), str) else f"models[{index}]"
        own = list(_field_faults(entry))
        own += [] if own else _whole_faults(entry, ids)
        yield from (f"{name}.{fault}" for fault in own)


def _field_faults(entry: Entry) -> Iterator[str]:
    yield from (f"{name}: missing" for name in FIELDS if name not in entry)
    yield from (f"{name}: unknown field" for name in entry if name not in FIELDS)
    for name, check in FIELDS.items():
        if name in entry and (expected := check(entry[name])):
            yield f"{name}: expected {expected}, got {str(entry[name])[:60]!r}"


def _whole_faults(entry: Entry, ids: Collection[Any]) -> Iterator[str]:
    """What two fields together must make."""
    if list(ids).count(entry["id"]) > 1:
        yield "id: stands there twice"
    if entry["replacement"] and entry["replacement"] not in ids:
        yield f"replacement: {entry['replacement']!r} is no entry"
    if entry["replacement"] and entry["shutdown_date"] is None:
        yield "replacement: there is no shutdown_date"
    yield from _reasoning_faults(entry)
    yield from _window_faults(entry)
    yield from _vector_faults(entry)


def _reasoning_faults(entry: Entry) -> Iterator[str]:
    efforts, default = entry["efforts"], entry["default_effort"]
    if (efforts or default or entry["effort_for_tools"]) and not entry["reasoning"]:
        yield "efforts: the model does not reason"
    if efforts and default and default not in efforts:
        yield f"default_effort: {default!r} is not among efforts"
    if efforts != sorted(efforts, key=EFFORTS.index):
        yield "efforts: not from the lowest to the highest"
    if entry["sampling"] == Sampling.EFFORT_NONE and efforts and "none" not in efforts:
        yield "sampling: effort_none, but efforts lacks none"


def _window_faults(entry: Entry) -> Iterator[str]:
    window = entry["context_window"]
    for name in ("max_input", "max_output"):
        if window is not None and entry[name] is not None and entry[name] > window:
            yield f"{name}: larger than context_window"


def _vector_faults(entry: Entry) -> Iterator[str]:
    embeds = Endpoint.EMBEDDINGS in entry["endpoints"]
    if embeds and len(entry["endpoints"]) > 1:
        yield "endpoints: embeddings stands alone"
    for name in ("dimensions", "vector_space"):
        if bool(entry[name]) != embeds:
            yield f"{name}: {'missing for' if embeds else 'only with'} the endpoint embeddings"
    if embeds and entry["max_output"] is not None:
        yield "max_output: vectors have none"


def _name(value: Any) -> str:
    return "" if isinstance(value, str) and NAME.fullmatch(value) else "a model id"


def _name_or_empty(value: Any) -> str:
    return "" if value == "" else _name(value)


def _count(value: Any) -> str:
    return "" if value is None or (type(value) is int and value > 0) else "a whole number from 1 up, or null"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _date(value: Any) -> str:
    try:
        return "" if isinstance(value, str) and date.fromisoformat(value).isoformat() == value else "a date, YYYY-MM-DD"
    except ValueError:
        return "a date, YYYY-MM-DD"


def _date_or_null(value: Any) -> str:
    return "" if value is None else _date(value)


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and 0 < len(value) <= MAX_SOURCE else f"a text of at most {MAX_SOURCE} letters"


def _one_of(words: Collection[str]) -> Check:
    expected = f"one of {', '.join(repr(str(word)) for word in words)}"
    return lambda value: "" if isinstance(value, str) and value in words else expected


def _some_of(words: Collection[str], *, least: int = 0) -> Check:
    def check(value: Any) -> str:
        named = isinstance(value, list) and len(value) >= least and all(isinstance(each, str) for each in value)
        fits = named and len(set(value)) == len(value) and set(value) <= set(words)
        return "" if fits else f"a list of {', '.join(sorted(words))}"

    return check


def _null_or(check: Check) -> Check:
    return lambda value: "" if value is None else check(value)


def _dollars(value: Any) -> bool:
    return value is None or (isinstance(value, str) and DOLLARS.fullmatch(value) is not None)


def _prices(value: Any) -> str:
    fits = isinstance(value, dict) and set(value) == set(PRICES) and all(map(_dollars, value.values()))
    return "" if fits else "input, cached and output as dollars in a text such as '2.00', or null"


FIELDS: Mapping[str, Check] = {
    "id": _name,
    "endpoints": _some_of([endpoint.value for endpoint in Endpoint], least=1),
    "context_window": _count,
    "max_input": _count,
    "max_output": _count,
    "input_modalities": _some_of(MODALITIES),
    "reasoning": _flag,
    "efforts": _some_of(EFFORTS),
    "default_effort": _one_of(("", *EFFORTS)),
    "effort_for_tools": _one_of(("", *EFFORTS)),
    "sampling": _one_of([rule.value for rule in Sampling]),
    "refused_params": _some_of(PARAMETERS),
    "hosted_tools": _null_or(_some_of(HOSTED_TOOLS)),
    "completion_cap_param": _one_of(("max_tokens", "max_completion_tokens")),
    "dimensions": _count,
    "vector_space": _name_or_empty,
    "prices": _prices,
    "price_ceiling_input_tokens": _count,
    "shutdown_date": _date_or_null,
    "replacement": _name_or_empty,
    "tier": _one_of(TIERS),
    "checked_on": _date,
    "source": _text,
}
