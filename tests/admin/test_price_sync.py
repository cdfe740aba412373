"""Sync in the admin: a preview that writes nothing, and a button that writes what was previewed or nothing."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from iwrouting.models import Price
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/price/"
SYNC = f"{LIST}sync/"


def test_the_preview_shows_what_would_change_and_writes_nothing(boss: Client) -> None:
    cast.price("gpt-4.1")
    cast.price("gpt-5.1", input_pico=1, is_manual=True)
    cast.model("our-own")
    page = read(boss.get(SYNC))
    assert "create gpt-4.1 priority – 2026-10-12 00:00 3.5 0.875 – 14 –" in page.text
    assert "manual gpt-5.1 default" in page.text
    assert "0.000001 / 0.5 / - / 8" in page.text
    assert "our-own is not synced: genai-prices does not know it." in page.text
    assert "1 prices are the same already" in page.text
    assert Price.objects.count() == 2
    assert SYNC in read(boss.get(LIST)).values("a", "href")


def test_the_button_writes_what_was_shown_and_then_there_is_nothing_left(boss: Client) -> None:
    old = cast.price("gpt-4.1", input_pico=1)
    assert forms.fill(boss, SYNC).headers["Location"] == LIST
    assert LogEntry.objects.count() == Price.objects.count() - 1
    old.refresh_from_db()
    assert old.input_pico == 1
    newest = Price.objects.filter(model_id="gpt-4.1", service_tier="default").latest("valid_from")
    assert (newest.input_pico, newest.version, newest.is_manual) == (2_000_000, "genai-prices 0.2.3", False)
    page = read(boss.get(SYNC))
    assert "Nothing to change." in page.text
    assert "plan" not in page.values("input", "name")


def test_a_plan_that_has_become_another_is_shown_again(boss: Client) -> None:
    plan = forms.values(boss, SYNC)
    later = timezone.now() + timedelta(days=1)
    Price.objects.create(model_id="gpt-4.1", valid_from=later, input_pico=1, is_manual=True)
    answer = boss.post(SYNC, plan)
    assert "changed since this plan was shown" in read(answer).text
    assert Price.objects.count() == 1
    assert forms.values(boss, SYNC)["plan"] != plan["plan"]


def test_who_may_only_view_prices_can_not_sync(as_user: LoggedIn, db: None) -> None:
    viewer = as_user(cast.person("viewer", "view_price"))
    assert viewer.get(SYNC).status_code == 403
    assert viewer.post(SYNC, {"plan": "x"}).status_code == 403
    assert SYNC not in read(viewer.get(LIST)).values("a", "href")
