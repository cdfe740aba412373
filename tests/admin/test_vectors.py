"""An embedding alias keeps to one vector space: what would break is said, and refused where it is surely so."""

from __future__ import annotations

import pytest
from django.test import Client

from iwrouting.models import Alias, Override
from iwrouting.types import Kind
from tests.admin import cast, forms
from tests.admin.html import read

ALIASES = "/admin/iwrouting/alias/"
OVERRIDES = "/admin/iwrouting/override/"
REFUSED = "large makes other vectors (space large, 3,072 wide) than small (space small, 1,536 wide), which serves now."


@pytest.fixture
def embedding(db: None) -> Alias:
    for name, space, width in (("small", "small", 1536), ("small-eu", "small", 1536), ("large", "large", 3072)):
        cast.model(name, endpoints=["embeddings"], vector_space=space, dimensions=width)
    cast.model("nameless", endpoints=["embeddings"])
    cast.model("wide", endpoints=["embeddings"], dimensions=3072)
    return cast.alias("embedding", "small", kind=Kind.EMBEDDING.value)


def change(boss: Client, alias: Alias, model: str) -> str:
    answer = forms.fill(boss, f"{ALIASES}{alias.pk}/change/", default_model=model)
    return read(answer if answer.status_code == 200 else boss.get(ALIASES)).text


def test_default__of_another_space__is_refused_with_what_would_break(boss: Client, embedding: Alias) -> None:
    text = change(boss, embedding, "large")
    assert REFUSED in text
    assert "searches would find the wrong texts without an error" in text
    assert "Keep small; or add an alias of kind embedding with large" in text
    embedding.refresh_from_db()
    assert embedding.default_model == "small"


def test_default__of_another_width__is_refused_though_its_space_is_not_known(boss: Client, embedding: Alias) -> None:
    assert "wide makes other vectors (space not known, 3,072 wide)" in change(boss, embedding, "wide")


def test_default__of_the_same_space__is_saved(boss: Client, embedding: Alias) -> None:
    assert "Not known whether" not in change(boss, embedding, "small-eu")
    embedding.refresh_from_db()
    assert embedding.default_model == "small-eu"


@pytest.mark.parametrize("model", ["nameless", "of-another-house"])
def test_default__of_a_space_that_nobody_knows__is_saved_with_a_warning(
    boss: Client, embedding: Alias, model: str
) -> None:
    url = f"{ALIASES}{embedding.pk}/change/"
    asked = read(forms.fill(boss, url, default_model=model, acknowledge=False)).text
    assert f"Not known whether {model} makes the same vectors as small" in asked
    change(boss, embedding, model)
    embedding.refresh_from_db()
    assert embedding.default_model == model


def test_override__is_judged_by_what_serves_its_project(boss: Client, embedding: Alias) -> None:
    asked = {"alias": str(embedding.pk), "model": "large", "reason": "a try"}
    assert REFUSED in read(forms.fill(boss, f"{OVERRIDES}add/", **asked)).text
    assert forms.fill(boss, f"{OVERRIDES}add/", **{**asked, "model": "small-eu"}).status_code == 302
    row = Override.objects.get()
    assert "which serves now" in read(forms.fill(boss, f"{OVERRIDES}{row.pk}/change/", model="large")).text


def test_override__that_is_disabled__may_name_any_and_is_judged_when_enabled(boss: Client, embedding: Alias) -> None:
    row = Override.objects.create(alias=embedding, model="large", enabled=False)
    assert forms.fill(boss, f"{OVERRIDES}{row.pk}/change/", reason="later").status_code == 302
    assert REFUSED in read(forms.fill(boss, f"{OVERRIDES}{row.pk}/change/", enabled="on")).text
    answer = read(forms.act(boss, OVERRIDES, "enable", row)).text
    assert REFUSED in answer
    assert "Enabled 1 override." not in answer
    row.refresh_from_db()
    assert not row.enabled


def test_override__that_mixes_already__may_still_be_edited(boss: Client, embedding: Alias) -> None:
    row = Override.objects.create(alias=embedding, model="large")
    assert forms.fill(boss, f"{OVERRIDES}{row.pk}/change/", reason="as it was").status_code == 302


def test_chat_aliases__are_not_judged(boss: Client) -> None:
    cast.model("gpt-4.1")
    cast.model("gpt-5.1")
    fast = cast.alias("fast")
    assert "other vectors" not in change(boss, fast, "gpt-5.1")
