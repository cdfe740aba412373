"""For whom a request is made: project, run and tags, kept in a context variable and sent as headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

FREE_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
"""Ids that a caller may choose (design.md 9.7)."""


@dataclass(frozen=True, slots=True)
class Context:
    """The values in force; None and the empty tuple: nothing is sent."""

    project: str | None = None
    run_id: str | None = None
    tags: tuple[str, ...] = ()

    def headers(self) -> dict[str, str]:
        """The request headers that carry the context."""
        values = {"x-iw-project": self.project, "x-iw-run-id": self.run_id, "x-iw-tags": ",".join(self.tags)}
        return {name: value for name, value in values.items() if value}


_context: ContextVar[Context] = ContextVar("iwrouting_context")
_NOTHING = Context()


def current() -> Context:
    """The context of this task or thread."""
    return _context.get(_NOTHING)


@contextmanager
def routing_context(
    *, project: str | int | None = None, run_id: str | int | None = None, tags: Iterable[str] = ()
) -> Iterator[None]:
    """Say for which project, run and tags the requests inside the block are made.

    `project` is a slug or an external id. What is left out is inherited from the block around; tags are added to its
    tags. Holds for this task or thread and for the tasks started in it; a new thread starts without
    (`asyncio.to_thread` carries it over). Raises ValueError for an id that can't be sent.
    """
    outer = current()
    if isinstance(tags, str):
        raise ValueError(f"tags: give a list of tags, got the string {tags!r}")
    inner = Context(
        project=outer.project if project is None else _free_id("project", project),
        run_id=outer.run_id if run_id is None else _free_id("run_id", run_id),
        tags=tuple(dict.fromkeys((*outer.tags, *(_free_id("tags", tag) for tag in tags)))),
    )
    token = _context.set(inner)
    try:
        yield
    finally:
        _context.reset(token)


def _free_id(name: str, value: str | int) -> str:
    text = str(value)
    if not FREE_ID.fullmatch(text):
        raise ValueError(f"{name}: {text!r} can't be sent; use at most 128 letters, digits and ._:/-")
    return text
