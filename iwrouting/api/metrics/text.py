"""Prometheus' text format, version 0.0.4. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Number = int | float


@dataclass(slots=True)
class Family:
    """All samples of one name. `kind`: `gauge`, `counter` or `histogram`; a counter's name ends in `_total`.

    Of a histogram's sample the value is the one of a bucket, of `sum` or of `count`: `suffix` says which.
    """

    name: str
    kind: str
    help: str
    samples: list[tuple[Mapping[str, str], Number, str]] = field(default_factory=list)

    def add(self, value: Number | None, *, suffix: str = "", **labels: str) -> None:
        """One sample; nothing for a value that is not known."""
        if value is not None:
            self.samples.append((labels, value, suffix))


def render(families: Iterable[Family]) -> str:
    """The text. A family without samples is left out."""
    return "".join(f"{line}\n" for family in families if family.samples for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped(family.help)}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value, suffix in family.samples:
        name = family.name + suffix
        inner = ",".join(f'{label}="{_quoted(text)}"' for label, text in labels.items())
        yield f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
