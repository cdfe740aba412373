"""What an operator does in the first hour: change a default, see it serve, and read why in the audit."""

from __future__ import annotations

import re
import time

from openai import OpenAI
from playwright.sync_api import Locator, Page, expect

from tests.browser.session import Session
from tests.browser.site import PASSWORD, USER, Site

PATIENCE_S = 5.0
BEFORE, AFTER = "gpt-4.1-mini", "gpt-4.1-nano"


def test_a_changed_default_serves_and_is_told_by_the_audit(served: Site, session: Session) -> None:
    with OpenAI(base_url=f"{served.url}/v1", api_key=served.key, max_retries=0, timeout=10) as client:
        assert called(client)[0] == BEFORE
        log_in(session)
        change_default_of_fast(session)
        decision_id = serves(client, AFTER)
    read_the_decision(session, decision_id)
    raise_a_price(session)
    read_the_docs(session)
    assert not session.complaints, "\n".join(session.complaints)


def called(client: OpenAI) -> tuple[str, str]:
    """Which model `fast` is served by, and under which decision."""
    answer = client.chat.completions.with_raw_response.create(
        model="fast", messages=[{"role": "user", "content": "Say hello"}]
    )
    return answer.parse().model, answer.headers["x-iw-decision-id"]


def serves(client: OpenAI, model: str) -> str:
    """Call until this model answers; the decision's id."""
    until = time.monotonic() + PATIENCE_S
    while (found := called(client))[0] != model:
        assert time.monotonic() < until, f"{found[0]} still serves after {PATIENCE_S} s"
        time.sleep(0.1)
    return found[1]


def log_in(session: Session) -> None:
    page = session.page
    page.goto("/admin/")
    session.is_accessible()
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def change_default_of_fast(session: Session) -> None:
    page = session.page
    page.get_by_role("link", name="Aliases", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aliases")
    session.is_accessible()
    page.get_by_role("link", name="fast", exact=True).click()
    field = page.get_by_label("Default model")
    expect(field).to_have_value(BEFORE)
    session.is_accessible()
    field.fill(AFTER)
    page.get_by_role("button", name="Preview").click()
    expect(rows(page, "Effect").first).to_contain_text(AFTER)
    expect(page.get_by_label("Default model")).to_have_value(AFTER)
    session.is_accessible()
    page.get_by_role("button", name="What would it have done?").click()
    expect(page.get_by_role("status")).to_contain_text("1 of the 1 calls of the last 7 days would have changed model")
    expect(page.get_by_label("Default model")).to_have_value(AFTER)
    session.is_accessible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    session.is_accessible()
    page.get_by_label("Reason for change").fill("It is cheaper")
    expect(page.get_by_text("was shut down on")).to_be_visible()
    page.get_by_label("Save anyway: I have seen these").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.get_by_role("row").filter(has=page.get_by_role("link", name="fast", exact=True))).to_contain_text(AFTER)


def read_the_decision(session: Session, decision_id: str) -> None:
    page = session.page
    page.get_by_role("link", name="Decisions", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Decisions")
    session.is_accessible()
    page.get_by_role("textbox", name="Search").fill(decision_id)
    page.get_by_role("button", name="Search").click()
    page.locator("#result_list").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Decision {decision_id}")
    expect(page.locator(".iw-sentence")).to_have_text(
        f"atlas asked for fast; the default chose {AFTER}; {AFTER} answered."
    )
    expect(rows(page, "Ladder")).to_have_text(
        [
            re.compile("project_override.*not_set"),
            re.compile("override.*not_set"),
            re.compile("environment.*not_set"),
            re.compile(f"default.*{AFTER}.*used"),
        ]
    )
    expect(rows(page, "Attempts")).to_have_text([re.compile(f"1.*call.*{AFTER}.*sandbox.*200")])
    session.is_accessible()


def raise_a_price(session: Session) -> None:
    page = session.page
    page.get_by_role("link", name="Prices", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prices")
    session.is_accessible()
    page.get_by_role("row").filter(has_text=AFTER).get_by_role("link").first.click()
    session.is_accessible()
    page.get_by_label("Output, $ per 1M").fill("0.45")
    page.get_by_label("Reason for change").fill("As the invoice says")
    page.get_by_role("button", name="Save", exact=True).click()
    mine = page.get_by_role("row").filter(has_text=AFTER)
    expect(mine).to_have_text([re.compile("0.45.*in force.*manual"), re.compile("0.40.*superseded")])


def read_the_docs(session: Session) -> None:
    page = session.page
    page.get_by_role("link", name="API docs").click()
    expect(page.locator(".opblock").filter(has_text="/v1/chat/completions").first).to_be_visible()


def rows(page: Page, title: str) -> Locator:
    """The rows of the table under a heading."""
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True)).locator("tbody tr")
