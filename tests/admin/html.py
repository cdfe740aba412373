"""Read pages as a browser would: their text, and what a strict content security policy would block."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse

Attributes = list[tuple[str, str | None]]


class Page(HTMLParser):
    """A parsed page: `text` without tags, `faults` against the policy, `tags` with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._parts: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join(" ".join(self._parts).split())

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag == "style" or (tag == "script" and not named.get("src")):
            self.faults.append(f"<{tag}> with its own content")
        self.faults += [f"{name} on <{tag}>" for name in named if name == "style" or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def values(self, tag: str, attribute: str) -> list[str]:
        """The values of one attribute of one kind of tag."""
        return [named.get(attribute) or "" for name, named in self.tags if name == tag and attribute in named]


def read(response: Any) -> Page:
    """The page of an answer that must be one."""
    assert isinstance(response, HttpResponse)
    assert response.status_code == 200, response.headers.get("Location", response.content[:300])
    return Page(response.content.decode())
