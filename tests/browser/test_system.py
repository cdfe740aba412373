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


def test_history__from_a_line_to_its_restore(served: Site, session: Session) -> None:
    page = session.page
    log_in(session)
    page.goto("/admin/iwrouting/alias/")
    page.get_by_role("link", name="blueprint", exact=True).click()
    page.get_by_label("Purpose", exact=False).fill("Plans of houses")
    page.get_by_label("Reason for change").fill("It said nothing")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Changes", exact=True).first.click()
    line = page.locator("#result_list").get_by_role("row").filter(has_text="It said nothing")
    expect(line).to_contain_text("Plans of houses")
    session.is_accessible()
    line.get_by_role("link").first.click()
    session.is_accessible()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("region", name="aliases")).to_contain_text("Plans of houses")
    session.is_accessible()
    page.go_back()
    page.get_by_role("link", name="Restore the whole configuration").click()
    expect(page.get_by_text("Nothing would change.")).to_be_visible()
    page.go_back()
    revision = int(page.get_by_role("heading", level=1).inner_text().split()[-1])
    page.goto(f"/admin/config/restore/?revision={revision - 1}")
    expect(page.get_by_role("region", name="Plan")).to_contain_text("Plans of houses")
    page.get_by_label("Reason for change").fill("It said enough")
    session.is_accessible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Restored the configuration of revision")).to_be_visible()
    page.get_by_role("link", name="Show config as of").click()
    expect(rows(page, "Effective models").filter(has_text="blueprint")).to_be_visible()
    session.is_accessible()
    for name in ("Import/export", "Resolve"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        session.is_accessible()
    page.get_by_label("Alias or model").fill("blueprint")
    page.get_by_role("button", name="Resolve").click()
    expect(rows(page, "Ladder")).to_have_count(4)
    session.is_accessible()
    assert not session.complaints, "\n".join(session.complaints)
