"""What an operator looks at when something is wrong: the overview's list, the System page, alerts, a reload."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.session import Session
from tests.browser.site import Site
from tests.browser.test_operator import log_in, rows

REVISION = re.compile(r"as revision \d+")


def test_system_page_and_what_it_leads_to(served: Site, session: Session) -> None:
    log_in(session)
    page = session.page
    page.get_by_role("link", name="System", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("System")
    for title in ("Workers", "This process", "Database", "Seals", "Retention", "Tokenizer files", "Partitions"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    session.is_accessible()
    page.get_by_text("Settings of this process", exact=True).first.click()
    expect(rows(page, "Settings of this process").filter(has_text="IW_SECRET_KEY")).to_contain_text("set, not shown")
    session.is_accessible()
    page.get_by_role("link", name="Reload snapshot").click()
    session.is_accessible()
    page.get_by_label("Reason for change").fill("A worker lags")
    page.get_by_role("button", name="Reload snapshot").click()
    expect(page.get_by_text(REVISION)).to_be_visible()
    page.get_by_role("link", name="Maintenance").click()
    expect(rows(page, "Steps").filter(has_text="retention")).to_contain_text("would remove 0 months")
    session.is_accessible()
    for name in ("Alerts", "Writers", "Quarantined rows", "Seals"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        session.is_accessible()
    assert not session.complaints, "\n".join(session.complaints)
