"""Models in the admin: exact prices, the kill switch, who uses them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from iwrouting.models import Model, Override, Revision
from iwrouting.planning import ChangeRefused
from tests.admin import cast, forms
from tests.admin.html import read

LIST = "/admin/iwrouting/model/"


def page_of(model: Model) -> str:
    return f"{LIST}{model.pk}/change/"


def test_lists_are_boxes_and_lines(boss: Client) -> None:
    model = cast.model(input_modalities=["text"])
    assert forms.values(boss, page_of(model))["endpoints"] == ["chat", "responses"]
    forms.fill(boss, page_of(model), endpoints=["responses"], input_modalities="text, image")
    model.refresh_from_db()
    assert (model.endpoints, model.input_modalities) == (["responses"], ["text", "image"])
    assert "This field is required." in read(forms.fill(boss, page_of(model), endpoints=None)).text
    assert "is not one of the available choices" in read(forms.fill(boss, page_of(model), endpoints=["magic"])).text


def test_a_model_is_added(boss: Client) -> None:
    asked: dict[str, Any] = {"model_id": "gpt-7", "endpoints": ["chat"]}
    assert forms.fill(boss, f"{LIST}add/", **asked).status_code == 302
    made = Model.objects.get(model_id="gpt-7")
    assert (made.endpoints, made.enabled) == (["chat"], True)
    assert "model_id" not in forms.values(boss, page_of(made))


def test_the_kill_switch_works_on_several(boss: Client) -> None:
    rows = [cast.model("gpt-a"), cast.model("gpt-b"), cast.model("gpt-c")]
    before = Revision.current()
    assert "Disabled 2 models." in read(forms.act(boss, LIST, "disable", *rows[:2])).text
    assert set(Model.objects.filter(enabled=False).values_list("model_id", flat=True)) == {"gpt-a", "gpt-b"}
    assert Revision.current() == before + 1


def test_the_list_tells_life_and_users(boss: Client) -> None:
    cast.model("gpt-old", shutdown_date=date(2020, 1, 2))
    deep = cast.alias("deep", "gpt-old")
    Override.objects.create(alias=cast.alias("fast", "gpt-new"), model="gpt-old")
    for name in ("code", "manager"):
        cast.alias(name, "gpt-new", chain=["gpt-old"])
    text = read(boss.get(LIST)).text
    assert "shut down 2020-01-02" in text
    assert "code, deep, manager +1" in text
    model = Model.objects.get()
    assert "code, deep, manager, fast" in read(boss.get(page_of(model))).text
    assert deep.default_model == model.model_id


def test_the_list_asks_a_fixed_number_of_questions(
    boss: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        cast.model(f"gpt-{number}")
        cast.alias(f"role_{number}", f"gpt-{number}")
    with django_assert_max_num_queries(20):
        boss.get(LIST)


def use_as_default() -> None:
    cast.alias("fast")


def use_in_chain() -> None:
    cast.alias("fast", "gpt-5.1", chain=["gpt-4.1"])


def use_in_override() -> None:
    Override.objects.create(alias=cast.alias("fast", "gpt-5.1"), model="gpt-4.1")


USES: list[tuple[Callable[[], None], str]] = [
    (use_as_default, "default of the alias fast"),
    (use_in_chain, "rung 1 of the alias fast"),
    (use_in_override, "override of the alias fast for all projects"),
]


@pytest.mark.parametrize(("use", "place"), USES)
def test_a_model_in_use_stays_whatever_the_way(boss: Client, use: Callable[[], None], place: str) -> None:
    model = cast.model()
    use()
    answer = forms.confirm(boss, f"{LIST}{model.pk}/delete/")
    assert f"The model gpt-4.1 is the {place}: disable it instead, or name another." in read(answer).text
    with pytest.raises(ChangeRefused, match=place), cast.by_ann():
        model.delete()
    with pytest.raises(ChangeRefused, match=place), cast.by_ann():
        Model.objects.all().delete()
    assert Model.objects.filter(model_id="gpt-4.1").exists()


def test_a_disabled_model_stays_because_its_row_is_the_kill_switch(boss: Client) -> None:
    model = cast.model(enabled=False)
    revision = Revision.current()
    answer = forms.confirm(boss, f"{LIST}{model.pk}/delete/")
    assert "without its row it could be called again. Keep it disabled." in read(answer).text
    with pytest.raises(ChangeRefused, match="Keep it disabled"), cast.by_ann():
        model.delete()
    assert Revision.current() == revision
    assert Model.objects.filter(model_id="gpt-4.1").exists()


def test_a_model_that_nobody_uses_can_go(boss: Client) -> None:
    model = cast.model()
    forms.confirm(boss, f"{LIST}{model.pk}/delete/")
    assert not Model.objects.exists()
