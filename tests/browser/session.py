"""A page of the system's Chromium that writes down whatever a user should never meet."""

from __future__ import annotations

import os
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

from tests.harness.programs import CHROMIUM_NAMES, find_chromium

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = ("serious", "critical")
SETTLED = "() => Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => null)"
"""Colours change gradually; half-way through, their contrast is nobody's."""


def chromium(playwright: Playwright) -> Browser:
    """The system's browser. AssertionError where there is none: a browser test that did not run proves nothing."""
    found = find_chromium()
    assert found, f"no {', '.join(CHROMIUM_NAMES)} on PATH: install Chromium, or name it by IW_TEST_CHROMIUM"
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=found, args=[*QUIET, *as_root])


class Session:
    """One page; `complaints` has what its console, its policy and its network say that should not be."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._host = urlsplit(url).netloc
        self._deaf = False
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._look)
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url} {request.failure}"))

    def _hear(self, message: ConsoleMessage) -> None:
        # A breach of the content security policy is reported on the console, as an error.
        if message.type in ("error", "warning") and not self._deaf:
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")

    def _look(self, request: Request) -> None:
        at = urlsplit(request.url)
        if at.scheme != "data" and at.netloc != self._host:
            self.complaints.append(f"left for {request.url}")

    def is_accessible(self) -> None:
        """Assert that nothing grave keeps people with a disability from using this page, in both colour schemes."""
        found = []
        self._deaf = True  # axe writes styles of its own into the page, which the policy refuses it
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(SETTLED)
            found += [f"{scheme}: {_shown(each)}" for each in _violations(self.page) if each["impact"] in GRAVE]
        self.page.emulate_media(color_scheme=SCHEMES[0])
        self._deaf = False
        assert not found, f"{self.page.url}:\n" + "\n".join(found)


def _violations(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return found


def _shown(violation: dict[str, Any]) -> str:
    nodes = "; ".join(f"{node['target']} {node['html'][:120]}" for node in violation["nodes"][:5])
    return f"{violation['impact']} {violation['id']}: {nodes}"
