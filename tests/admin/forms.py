"""Fill in forms as a browser does: what stands in them, with some fields changed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tests.admin.html import Attributes

Values = dict[str, list[str]]


class _Form(HTMLParser):
    """The values that a browser would send of the page's main form (Django's admin names it `<model>_form`)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: Values = {}
        self._inside = False
        self._select = self._area = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        named = dict(attrs)
        name, value = named.get("name") or "", named.get("value")
        if tag == "form":
            self._inside = (named.get("id") or "").endswith("_form")
        elif not self._inside:
            return
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            self.values[name] = [""]
        elif tag == "option" and self._select and "selected" in named:
            self.values.setdefault(self._select, []).append(value or "")
        elif tag == "input" and name and named.get("type") not in ("submit", "button"):
            box = named.get("type") in ("checkbox", "radio")
            if not box or "checked" in named:
                self.values.setdefault(name, []).append(value or ("on" if box else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] = [(self.values[self._area][0] + data).lstrip("\n")]


def values(client: Client, url: str) -> Values:
    """What stands in a form."""
    return _Form(client.get(url).content.decode()).values


def fill(client: Client, url: str, **changed: Any) -> Any:
    """Send the form of a page with these fields changed; None takes a field away, a list gives several values."""
    data: dict[str, Any] = values(client, url)
    for name, value in changed.items():
        data.pop(name, None)
        if value is not None:
            data[name] = value
    return client.post(url, data)
