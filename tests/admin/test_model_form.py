"""Models in the admin: every fact can be entered and corrected, what can't be true is refused, doubts are said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from iwrouting.models import Model, Override
from iwrouting.snapshot import load
from iwrouting.types import Sampling
from tests.admin import cast, forms
from tests.admin.html import read

pytestmark = pytest.mark.django_db

LIST = "/admin/iwrouting/model/"
FACTS: dict[str, Any] = {
    "model_id": "gpt-7",
    "endpoints": ["chat", "responses"],
    "context_window": "1050000",
    "max_input": "922000",
    "max_output": "128000",
    "input_modalities": "text, image",
    "reasoning": "on",
    "efforts": ["none", "low", "max"],
    "default_effort": "low",
    "effort_for_tools": "none",
    "sampling": "effort_none",
    "refused_params": "stop\nverbosity",
    "completion_cap_param": "max_completion_tokens",
    "hosted_tools": "web_search mcp",
    "shutdown_date": "2999-01-02",
    "replacement": "gpt-8",
    "tier": "mid",
    "checked_on": "2026-11-22",
    "source": "the provider's page",
}


def page_of(model: Model) -> str:
    return f"{LIST}{model.pk}/change/"


def said(answer: Any) -> str:
    return read(answer).text


def test_every_fact__is_taken_and_read_by_the_snapshot(boss: Client) -> None:
    assert forms.fill(boss, f"{LIST}add/", **FACTS).status_code == 302
    facts = load().models["gpt-7"]
    assert (facts.context_window, facts.max_input, facts.max_output) == (1_050_000, 922_000, 128_000)
    assert (facts.efforts, facts.default_effort, facts.effort_for_tools) == (("none", "low", "max"), "low", "none")
    assert (facts.sampling, facts.refused_params) == (Sampling.EFFORT_NONE, frozenset({"stop", "verbosity"}))
    assert facts.hosted_tools == frozenset({"web_search", "mcp"})
    assert facts.input_modalities == frozenset({"text", "image"})
    assert (facts.shutdown_date, facts.replacement, facts.verified) == (date(2999, 1, 2), "gpt-8", True)


def test_corrected_entry__keeps_what_was_not_touched(boss: Client) -> None:
    forms.fill(boss, f"{LIST}add/", **FACTS)
    row = Model.objects.get(model_id="gpt-7")
    assert forms.values(boss, page_of(row))["efforts"] == ["none", "low", "max"]
    assert forms.fill(boss, page_of(row), refused_params="", hosted_tools="").status_code == 302
    row.refresh_from_db()
    assert (row.refused_params, row.hosted_tools, row.efforts) == ([], None, ["none", "low", "max"])


def test_groups__have_their_help(boss: Client) -> None:
    text = said(boss.get(f"{LIST}add/"))
    for group in ("Windows and input", "Reasoning", "Parameters", "Vectors", "Life"):
        assert group in text
    assert "What is empty is not known" in text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"default_effort": "high"}, "'high' is not among its efforts: none, low, max."),
        ({"reasoning": None}, "A model that does not reason has no reasoning effort"),
        ({"efforts": ["enormous"]}, "is not one of the available choices"),
        ({"efforts": ["low"], "default_effort": "low"}, "It never has the effort none"),
        ({"max_output": "2000000"}, "2,000,000 tokens are more than the context window of 1,050,000."),
        ({"vector_space": "x"}, "Only a model with the endpoint embeddings makes vectors"),
        ({"dimensions": "1536"}, "Only a model with the endpoint embeddings makes vectors"),
        ({"endpoints": ["chat", "embeddings"]}, "choose embeddings alone"),
    ],
)
def test_what_can_not_be_true__is_refused_with_the_next_step(
    boss: Client, changed: dict[str, Any], message: str
) -> None:
    assert message in said(forms.fill(boss, f"{LIST}add/", **{**FACTS, **changed}))
    assert not Model.objects.exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"refused_params": "temprature"}, "No parameter named temprature is known here: known are audio,"),
        ({"input_modalities": "text, smell"}, "No kind of input named smell is known here: known are audio,"),
        ({"hosted_tools": "hammer"}, "No hosted tool named hammer is known here: known are apply_patch,"),
        ({}, "The replacement gpt-8 is not in the catalogue yet"),
    ],
)
def test_names_that_nobody_knows__are_saved_with_a_warning(boss: Client, changed: dict[str, Any], message: str) -> None:
    forms.fill(boss, f"{LIST}add/", **{**FACTS, **changed})
    assert message in said(boss.get(LIST))
    assert Model.objects.get().model_id == "gpt-7"


def test_words_that_are_no_effort__are_refused_by_every_way() -> None:
    row = Model(model_id="gpt-7", endpoints=["chat"], reasoning=True, default_effort="enormous")
    with pytest.raises(ValidationError, match="'enormous' is no reasoning effort: choose from none, minimal"):
        row.clean()


def test_saving_a_date__says_who_names_the_model(boss: Client) -> None:
    row = cast.model("gpt-old")
    cast.alias("deep", "gpt-old")
    told = said(forms.fill(boss, page_of(row), shutdown_date="2020-01-02", acknowledge=False))
    assert "gpt-old was shut down on 2020-01-02 (default of the alias deep). Name another" in told
    assert forms.fill(boss, page_of(row), shutdown_date="2020-01-02").status_code == 302


def test_people_who_may_only_view__read_lists(client: Client) -> None:
    row = cast.model(reasoning=True, efforts=["none", "low"], refused_params=["stop"])
    client.force_login(cast.person("eve", "view_model"))
    text = said(client.get(page_of(row)))
    assert "none, low" in text
    assert "not known" in text


def test_overview__lists_what_is_gone_with_its_pages(boss: Client) -> None:
    cast.model("gpt-old", shutdown_date=date(2020, 1, 2), replacement="gpt-new")
    deep = cast.alias("deep", "gpt-old")
    cast.alias("code", "gpt-new", chain=["gpt-old"])
    row = Override.objects.create(alias=deep, model="gpt-old")
    page = boss.get("/admin/")
    line = "gpt-old, gone since 2020-01-02, replacement gpt-new: code (rung 1) , deep , deep (override for all)"
    assert line in read(page).text
    for url in ("/admin/iwrouting/alias/?q=deep", f"/admin/iwrouting/override/{row.pk}/change/"):
        assert url in page.content.decode()
    for number in range(10):
        cast.alias(f"role_{number}", "gpt-old")
    assert " and 1 more" in read(boss.get("/admin/")).text


def test_overview__lists_so_many_models_that_the_menu_stays_in_sight(boss: Client) -> None:
    for number in range(14):
        cast.model(f"gpt-{number}", shutdown_date=timezone.now().date() + timedelta(days=1 + number))
        cast.alias(f"role_{number}", f"gpt-{number}")
    text = read(boss.get("/admin/")).text
    assert "gpt-0, gone tomorrow, " in text
    assert "gpt-11, gone in 12 days, " in text
    assert "gpt-12, gone" not in text
    assert "And 2 more: python manage.py lifecycle_check lists them." in text


def test_overview__shows_no_aliases_to_people_who_may_not_see_them(client: Client) -> None:
    cast.model("gpt-old", shutdown_date=date(2020, 1, 2))
    cast.alias("deep", "gpt-old")
    client.force_login(cast.person("eve", "view_model"))
    assert "gpt-old" not in read(client.get("/admin/")).text
