"""One service with its sandbox and its admin user, and one Chromium, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.session import Session, chromium
from tests.browser.site import Site, site


@pytest.fixture(scope="session")
def served(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("browser"), worker_id) as running:
        yield running


@pytest.fixture
def session(served: Site) -> Iterator[Session]:
    """A browser that nobody has logged in with."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        try:
            yield Session(browser.new_page(base_url=served.url), served.url)
        finally:
            browser.close()
