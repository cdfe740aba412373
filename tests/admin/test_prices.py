"""Prices in the admin: exact, dated, superseded and never changed once they were in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iwrouting.models import Price, Revision
from iwrouting.snapshot import load
from iwrouting.types import ALWAYS
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/price/"
PASSED = "past decisions keep the price they were costed with"


def page_of(price: Price) -> str:
    return f"{LIST}{price.pk}/change/"


def halves(at: datetime) -> dict[str, str]:
    return {"valid_from_0": f"{at:%Y-%m-%d}", "valid_from_1": f"{at:%H:%M:%S}"}


def newest() -> Price:
    return Price.objects.latest("pk")


def add(boss: Client, **fields: Any) -> Any:
    asked = {"model_id": "gpt-4.1", "input_pico": "2", "output_pico": "8", **fields}
    return forms.fill(boss, f"{LIST}add/", **asked)


def test_prices_are_dollars_per_million_tokens(boss: Client) -> None:
    price = cast.price(cached_pico=125_000, cache_write_pico=2_500_000)
    shown = forms.values(boss, page_of(price))
    names = ("input_pico", "cached_pico", "cache_write_pico", "output_pico")
    assert [shown[name] for name in names] == [["2.00"], ["0.125"], ["2.50"], ["8.00"]]
    assert "default – 2.00 0.125 2.50 8.00 always in force catalogue 2026-11-22" in read(boss.get(LIST)).text


@pytest.mark.parametrize(
    ("price", "fault"),
    [
        ("0.0000001", "Enter at most 6 decimals: finer prices can't be stored exactly."),
        ("-1", "greater than or equal to 0"),
        ("free", "Enter a number."),
        ("12345678.5", "no more than 6 digits before the decimal point"),
    ],
)
def test_a_price_that_can_not_be_stored_exactly_is_refused(boss: Client, price: str, fault: str) -> None:
    assert fault in read(add(boss, input_pico=price)).text
    assert not Price.objects.exists()


def test_a_price_is_added_from_now_on_as_an_operators_own(boss: Client) -> None:
    begun, revision = timezone.now(), Revision.current()
    assert add(boss, cached_pico="", source="the contract").status_code == 302
    made = newest()
    assert begun <= made.valid_from <= timezone.now()
    assert (made.input_pico, made.cached_pico, made.output_pico) == (2_000_000, None, 8_000_000)
    assert (made.service_tier, made.above_input_tokens, made.is_manual) == ("default", 0, True)
    assert made.version.startswith("edited 20")
    assert Revision.current() == revision + 1
    assert load().prices["gpt-4.1"] == (made.facts,)


def test_a_price_of_a_tier_and_threshold_is_scheduled_for_later(boss: Client) -> None:
    later = (timezone.now() + timedelta(days=40)).replace(microsecond=0)
    assert add(boss, service_tier="flex", above_input_tokens="272000", **halves(later)).status_code == 302
    made = newest()
    assert (made.service_tier, made.above_input_tokens, made.valid_from) == ("flex", 272_000, later)
    assert "scheduled" in read(boss.get(LIST)).text
    forms.fill(boss, page_of(made), input_pico="3")
    assert (newest().pk, newest().input_pico) == (made.pk, 3_000_000)
    assert forms.fill(boss, f"{LIST}{made.pk}/delete/").status_code == 302
    assert not Price.objects.exists()


@pytest.mark.parametrize("tier", ["Flex", "a tier", "x" * 17, ""])
def test_a_tier_that_no_provider_reports_is_refused(boss: Client, tier: str) -> None:
    assert add(boss, service_tier=tier).status_code == 200
    assert not Price.objects.exists()


def test_a_time_that_has_passed_is_refused(boss: Client) -> None:
    assert PASSED in read(add(boss, **halves(timezone.now() - timedelta(hours=1)))).text
    price = cast.price()
    assert PASSED in read(forms.fill(boss, page_of(price), **halves(timezone.now() - timedelta(hours=1)))).text
    assert Price.objects.count() == 1


def test_a_second_price_of_the_same_time_is_refused_with_a_link_to_the_first(boss: Client) -> None:
    later = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    first = cast.price(valid_from=later)
    page = read(add(boss, **halves(later)))
    assert "There is a price of that kind and time" in page.text
    assert page_of(first) in page.values("a", "href")
    assert add(boss, service_tier="flex", **halves(later)).status_code == 302


@pytest.mark.parametrize("changed", [{"input_pico": "3"}, {"output_pico": ""}, {"cache_write_pico": "1"}])
def test_a_price_in_force_is_superseded_and_stays_as_it_was(boss: Client, changed: dict[str, str]) -> None:
    price = cast.price(valid_from=timezone.now())
    was = price.facts
    answer = forms.fill(boss, page_of(price), **changed)
    assert answer.status_code == 302
    price.refresh_from_db()
    assert price.facts == was
    made = newest()
    assert made.pk != price.pk
    assert made.valid_from > price.valid_from
    assert (made.is_manual, made.version[:9]) == (True, "edited 20")
    assert "superseded" in read(boss.get(f"{LIST}?state=superseded")).text


def test_a_price_in_force_keeps_its_page_and_the_next_button_leads_to_the_new_one(boss: Client) -> None:
    price = cast.price()
    answer = forms.fill(boss, page_of(price), input_pico="3", _continue="Save and continue editing")
    assert answer.headers["Location"] == page_of(newest())
    assert newest().pk != price.pk


def test_the_same_price_written_otherwise_changes_nothing(boss: Client) -> None:
    price = cast.price()
    revision = Revision.current()
    forms.fill(boss, page_of(price), input_pico="2", output_pico="8.000")
    assert (Price.objects.get(), Revision.current()) == (price, revision)


def test_a_manual_price_can_be_left_to_the_sync_again(boss: Client) -> None:
    price = cast.price(is_manual=True)
    forms.fill(boss, page_of(price), is_manual=None)
    made = newest()
    assert (made.pk != price.pk, made.is_manual, made.input_pico) == (True, False, 2_000_000)


def test_model_tier_and_threshold_are_fixed_once_saved(boss: Client) -> None:
    price = cast.price()
    assert not {"model_id", "service_tier", "above_input_tokens", "version"} & set(forms.values(boss, page_of(price)))
    forms.fill(boss, page_of(price), model_id="gpt-5.1", version="mine", input_pico="3")
    assert (newest().model_id, newest().version[:6]) == ("gpt-4.1", "edited")


def test_a_price_in_force_can_not_be_deleted(boss: Client) -> None:
    price = cast.price()
    assert boss.post(f"{LIST}{price.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Price.objects.get() == price


def test_filters_find_the_missing_the_manual_and_the_old(boss: Client) -> None:
    cast.price("gpt-known")
    cast.price("gpt-unknown", input_pico=None, output_pico=None)
    cast.price("gpt-mine", is_manual=True)
    Price.objects.create(model_id="gpt-later", valid_from=timezone.now() + timedelta(days=1), input_pico=1)
    cast.price("gpt-raised", valid_from=ALWAYS + timedelta(days=1))
    cast.price("gpt-raised")

    def listed(query: str) -> set[str]:
        hrefs = read(boss.get(f"{LIST}?{query}")).values("a", "href")
        pks = {int(href.split("/")[4]) for href in hrefs if href.startswith(LIST) and "/change/" in href}
        return {f"{row.model_id}" for row in Price.objects.filter(pk__in=pks)}

    assert listed("state=missing") == {"gpt-unknown"}
    assert listed("state=scheduled") == {"gpt-later"}
    assert listed("state=superseded") == {"gpt-raised"}
    assert listed("state=old") == set()
    assert listed("is_manual__exact=1") == {"gpt-mine"}
    assert listed("model_id=gpt-raised") == {"gpt-raised"}


@pytest.mark.parametrize(("days", "old"), [(89, False), (91, True)])
def test_an_old_price_is_one_that_nobody_touched_for_90_days(boss: Client, days: int, old: bool) -> None:
    price = cast.price()
    QuerySet(Price).filter(pk=price.pk).update(updated_at=timezone.now() - timedelta(days=days))
    assert ("always" in read(boss.get(f"{LIST}?state=old")).text) is old


def test_models_in_use_without_a_price_are_named_where_operators_look(boss: Client) -> None:
    cast.alias("fast", "gpt-4.1", chain=["gpt-new", "deep"])
    cast.alias("deep", "gpt-dark")
    cast.price()
    cast.price("gpt-dark", input_pico=None)
    cast.model("gpt-new")
    words = "In use without a price: gpt-dark, gpt-new ."
    for url in (LIST, "/admin/"):
        page = read(boss.get(url))
        assert words in page.text
        assert f"{LIST}add/?model_id=gpt-dark" in page.values("a", "href")
    assert forms.values(boss, f"{LIST}add/?model_id=gpt-dark")["model_id"] == ["gpt-dark"]
    assert "no price" in read(boss.get("/admin/iwrouting/model/")).text
    cast.price("gpt-new")
    cast.price("gpt-dark", valid_from=ALWAYS + timedelta(days=1))
    assert "In use without a price" not in read(boss.get("/admin/")).text


def test_the_page_of_a_model_shows_its_prices_with_links(boss: Client) -> None:
    model = cast.model()
    base = cast.price()
    cast.price(valid_from=timezone.now() + timedelta(days=1), input_pico=9_000_000)
    above = cast.price(above_input_tokens=272_000, input_pico=None, cached_pico=None, output_pico=None)
    page = read(boss.get(f"/admin/iwrouting/model/{model.pk}/change/"))
    assert "default : 2.00 / 0.50 / - / 8.00" in page.text
    assert "default above 272,000 input tokens : not known" in page.text
    assert {page_of(base), page_of(above), f"{LIST}?model_id=gpt-4.1"} <= set(page.values("a", "href"))
    assert "input_pico" not in page.values("input", "name")
    assert "2.00 0.50 8.00" in read(boss.get("/admin/iwrouting/model/")).text


def test_the_list_asks_a_fixed_number_of_questions(
    boss: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        cast.price(f"gpt-{number}")
    with django_assert_max_num_queries(14):
        boss.get(LIST)


def test_who_may_only_view_prices_can_add_none(as_user: LoggedIn, db: None) -> None:
    price = cast.price()
    viewer = as_user(cast.person("viewer", "view_price"))
    assert "In use without" not in read(viewer.get("/admin/")).text
    assert viewer.get(f"{LIST}add/").status_code == 403
    assert viewer.post(page_of(price), {"input_pico": "1"}).status_code == 403
    assert "_save" not in read(viewer.get(page_of(price))).values("input", "name")
