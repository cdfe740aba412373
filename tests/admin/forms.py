"""Fill in forms as a browser does: what stands in them, some fields changed, a reason, and their ticks."""

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


REASON = "A test changes this"


def values(client: Client, url: str) -> Values:
    """What stands in a form."""
    return values_in(client.get(url))


def values_in(answer: Any) -> Values:
    """What stands in the form of an answer; nothing for one that is no page."""
    return _Form(answer.content.decode()).values


def fill(client: Client, url: str, *, acknowledge: Any = True, **changed: Any) -> Any:
    """Send the form of a page with these fields changed; None takes a field away, a list gives several values.

    `acknowledge`: where the page asks to see findings first, say that they were seen, and send it again.
    """
    return send(client, url, values(client, url), acknowledge=acknowledge, **changed)


def send(client: Client, url: str, data: Values, *, acknowledge: Any = True, **changed: Any) -> Any:
    """Send these values of a form as `fill` does."""
    sent: dict[str, Any] = dict(data)
    if "change_reason" in sent:
        sent["change_reason"] = REASON
    for name, value in changed.items():
        sent.pop(name, None)
        if value is not None:
            sent[name] = value
    answer = client.post(url, sent)
    if acknowledge and "shown_finding" in (asked := values_in(answer)):
        return client.post(url, {**sent, "shown_finding": asked["shown_finding"], "acknowledge": "on"})
    return answer


def confirm(client: Client, url: str, **changed: Any) -> Any:
    """Send a page that asks before it deletes, revokes or reloads; the page that follows."""
    answer = fill(client, url, **changed)
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer


def act(client: Client, url: str, action: str, *rows: Any, **changed: Any) -> Any:
    """Choose an action for some rows of a list and confirm it; the page that follows."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    asked = client.post(url, chosen)
    if not (data := values_in(asked)):
        return asked
    answer = send(client, url, data, **changed)
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer
