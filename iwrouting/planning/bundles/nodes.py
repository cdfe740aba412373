"""YAML as plain trees with line numbers: texts, lists and mappings, and nothing else that YAML can be.

No anchors and aliases (a bomb is made of them), no tags (they make objects), no key twice, one document, a size and a
depth. What a plain word means is for the field to say that it stands in: `no` is a text where a text belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from iwrouting.planning.bundles.faults import BundleFault, BundleRefused

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 6

LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar as it was written; `plain`: without quotes."""

    line: int
    text: str
    plain: bool

    @property
    def is_null(self) -> bool:
        """Whether it says that there is nothing."""
        return self.plain and self.text in ("", "~", "null")


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping in its order; `lines` is where each key stands."""

    line: int
    entries: Mapping[str, Node]
    lines: Mapping[str, int]


Node = Word | Sequence | Mapped


def read_nodes(data: bytes | str, file: str, *, called: str = "bundle", opening: str = "version: 1") -> Node:
    """The one document of a file. `called` and `opening` are what it is, and how it begins, in what is told of it.

    Raises BundleRefused at the first thing that does not belong in it.
    """
    size = len(data)
    if size > MAX_BYTES:
        raise BundleRefused([BundleFault(file, 1, f"It has {size:,} bytes; a {called} has at most {MAX_BYTES:,}.")])
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return _Reader(file, yaml.parse(text, Loader=LOADER), called, opening).document()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BundleRefused([BundleFault(file, line, "It is not UTF-8 text: save it as UTF-8.")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it can't be read"
        raise BundleRefused([BundleFault(file, mark.line + 1 if mark else 1, f"This is no YAML: {problem}.")]) from None
    except yaml.YAMLError:
        text = "This is no YAML: there is a character in it that YAML does not allow."
        raise BundleRefused([BundleFault(file, 1, text)]) from None


class _Reader:
    """Builds the tree event by event, and stops at the first that does not belong."""

    def __init__(self, file: str, events: Iterator[yaml.Event], called: str, opening: str) -> None:
        self._file = file
        self._events = events
        self._called = called
        self._empty = f"It is empty: begin it with `{opening}`."

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(first := next(self._events), yaml.StreamEndEvent):
            raise self._refused(first, self._empty)
        node = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        if not isinstance(last := next(self._events), yaml.StreamEndEvent):
            raise self._refused(last, f"A second document begins here: a {self._called} is one.")
        if isinstance(node, Word) and not node.text:
            raise self._refused(first, self._empty)
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            raise self._refused(event, f"*{event.anchor} is an alias: write out what it stands for.")
        if getattr(event, "anchor", None):
            raise self._refused(event, f"Anchors (&name) have no place in a {self._called}: remove it.")
        if getattr(event, "tag", None):
            raise self._refused(event, f"Tags (!name) have no place in a {self._called}: remove it.")
        if depth > MAX_DEPTH:
            raise self._refused(event, f"Nothing in a {self._called} stands this deep: look at the indentation.")
        line = self._line(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(line, tuple(self._node(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(line, depth)
        if isinstance(event, yaml.ScalarEvent):
            return Word(line, event.value, plain=not event.style)
        raise self._refused(event, "This is no value.")

    def _mapping(self, line: int, depth: int) -> Mapped:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Word):
                raise self._refused(event, "A name is a text.")
            if key.text in entries:
                raise self._refused(
                    event, f"{key.text} stands here twice, first in line {lines[key.text]}: remove one."
                )
            entries[key.text], lines[key.text] = self._node(next(self._events), depth + 1), key.line
        return Mapped(line, entries, lines)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _line(self, event: yaml.Event) -> int:
        mark = event.start_mark
        return mark.line + 1 if mark else 1

    def _refused(self, event: yaml.Event, message: str) -> BundleRefused:
        return BundleRefused([BundleFault(self._file, self._line(event), message)])
