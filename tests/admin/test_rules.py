"""The rules of a configuration on the forms: faults at their fields, findings asked for, what was typed kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from iwrouting.models import Alias, Change, Model, Override
from tests.admin import cast, forms
from tests.admin.html import read

ALIASES = "/admin/iwrouting/alias/"
OVERRIDES = "/admin/iwrouting/override/add/"
MODELS = "/admin/iwrouting/model/"


@pytest.fixture
def code(db: None) -> Alias:
    """code falls back to auto; every model has a price."""
    for name in ("gpt-4.1", "gpt-5.1", "wide", "codex"):
        cast.model(name)
        cast.price(name)
    cast.alias("auto", "gpt-4.1")
    return cast.alias("code", "gpt-5.1", chain=["auto"], variable="OPENAI_MODEL_CODE")


def change_model(name: str, **facts: Any) -> Model:
    row = Model.objects.get(model_id=name)
    for field, value in facts.items():
        setattr(row, field, value)
    row.save()
    return row


def noted() -> list[tuple[str, bool]]:
    """The findings that stand with the last change."""
    details = json.loads(Change.objects.order_by("id").reverse()[0].details)
    return [(each["code"], each["acknowledged"]) for each in details.get("findings", ())]


def test_f2_kill_switch__on_the_form__tells_who_falls_back_and_is_never_refused(boss: Client, code: Alias) -> None:
    row = Model.objects.get(model_id="gpt-5.1")
    url = f"{MODELS}{row.pk}/change/"
    asked = forms.fill(boss, url, enabled=None, source="told in a mail", acknowledge=False)
    assert "gpt-5.1 is switched off: gpt-4.1 (auto) serves code." in read(asked).text
    assert forms.values_in(asked)["source"] == ["told in a mail"]
    row.refresh_from_db()
    assert row.enabled
    assert forms.fill(boss, url, enabled=None).status_code == 302
    assert noted() == [("switched_off", True)]


@pytest.mark.parametrize("column", ["default_model", "chain"])
def test_f2_alias_form__that_newly_names_a_switched_off_model__is_refused_at_its_field(
    boss: Client, code: Alias, column: str
) -> None:
    change_model("wide", enabled=False)
    page = read(forms.fill(boss, f"{ALIASES}{code.pk}/change/", **{column: "wide"}))
    assert "wide is switched off, and is named as " in page.text
    assert forms.fill(boss, f"{ALIASES}{code.pk}/change/", purpose="told better").status_code == 302


def test_f2_override_form__that_names_a_switched_off_model__is_refused(boss: Client, code: Alias) -> None:
    change_model("wide", enabled=False)
    page = read(forms.fill(boss, OVERRIDES, alias=code.pk, model="wide"))
    assert "wide is switched off, and is named as the override of code for all projects" in page.text
    assert not Override.objects.exists()


def test_f3_f5_f9_override_form__asks_for_every_finding_at_once(boss: Client, code: Alias) -> None:
    change_model("gpt-4.1", context_window=8_000)
    change_model("codex", endpoints=["responses"], refused_params=["logprobs"], context_window=400_000)
    cast.model("new", endpoints=["responses"], refused_params=["logprobs"], context_window=400_000)
    asked = read(forms.fill(boss, OVERRIDES, alias=code.pk, model="new", acknowledge=False)).text
    assert "new is served at responses alone" in asked
    assert "gpt-4.1 in the chain of code takes fewer tokens of input than those that its primary new takes" in asked
    assert "new has no price in force: its calls are unpriced" in asked
    assert not Override.objects.exists()
    forms.fill(boss, OVERRIDES, alias=code.pk, model="new")
    assert Override.objects.get().model == "new"
    assert sorted(noted()) == [("chain_mixes_windows", True), ("price_missing", True), ("responses_only", True)]


def test_f6_override_form__that_shadows_a_variable__asks(
    boss: Client, code: Alias, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_CODE": "gpt-4.1"})
    asked = read(forms.fill(boss, OVERRIDES, alias=code.pk, model="wide", acknowledge=False)).text
    assert "OPENAI_MODEL_CODE=gpt-4.1 of the environment has no effect where this override is in force." in asked


def test_change_without_findings__is_asked_for_nothing(boss: Client, code: Alias) -> None:
    assert forms.fill(boss, OVERRIDES, alias=code.pk, model="wide", acknowledge=False).status_code == 302
    assert noted() == []


def test_overview__lists_what_no_save_would_let_through(boss: Client, code: Alias) -> None:
    assert "[chain_cycle]" not in read(boss.get("/admin/")).text
    code.chain = ["code"]
    code.save()
    change_model("wide", enabled=False)
    text = read(boss.get("/admin/")).text
    assert "alias code: The chain of code names code itself (code -> code): a cycle. Remove it. [chain_cycle]" in text
