"""Aliases in the admin: what serves now, chains as lines, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from iwrouting.models import Alias, Override, Revision
from tests.admin import cast, forms
from tests.admin.html import read

LIST = "/admin/iwrouting/alias/"


def page_of(alias: Alias) -> str:
    return f"{LIST}{alias.pk}/change/"


@pytest.fixture
def fast(db: None) -> Alias:
    cast.model()
    return cast.alias("fast", variable="OPENAI_MODEL_FAST")


def test_the_list_shows_what_serves_now_and_from_where(boss: Client, fast: Alias) -> None:
    assert "gpt-4.1 default" in read(boss.get(LIST)).text
    Override.objects.create(alias=fast, model="gpt-5.1")
    text = read(boss.get(LIST)).text
    assert "gpt-5.1 override" in text
    assert "override for all: not in the catalogue" in text


@pytest.mark.parametrize(("day", "words"), [("2020-01-02", "shut down 2020-01-02"), ("2999-01-02", "")])
def test_the_list_warns_of_a_model_that_ends(boss: Client, day: str, words: str) -> None:
    cast.model(shutdown_date=date.fromisoformat(day))
    cast.alias()
    text = read(boss.get(LIST)).text
    assert (words or "gpt-4.1 default") in text
    assert ("shut down" in text) is bool(words)


def test_the_list_asks_a_fixed_number_of_questions(
    boss: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        cast.alias(f"role_{number}")
    with django_assert_max_num_queries(18):
        boss.get(LIST)


def test_the_chain_is_edited_as_lines(boss: Client, fast: Alias) -> None:
    cast.alias("auto")
    assert forms.fill(boss, page_of(fast), chain="auto, gpt-4.1").status_code == 302
    fast.refresh_from_db()
    assert fast.chain == ["auto", "gpt-4.1"]
    assert forms.values(boss, page_of(fast))["chain"] == ["auto\ngpt-4.1"]
    assert "auto → gpt-4.1" in read(boss.get(LIST)).text


@pytest.mark.parametrize(
    "text", ["auto\ngpt-4.1", "auto gpt-4.1", " auto -> gpt-4.1 ", "auto;gpt-4.1,", "auto → gpt-4.1"]
)
def test_rungs_may_be_separated_as_one_likes(boss: Client, fast: Alias, text: str) -> None:
    cast.alias("auto")
    forms.fill(boss, page_of(fast), chain=text)
    fast.refresh_from_db()
    assert fast.chain == ["auto", "gpt-4.1"]


@pytest.mark.parametrize(
    ("chain", "fault"),
    [
        ("nosuch", "nosuch is neither an alias nor a model of the catalogue (fast -> nosuch)."),
        ("fast", "The chain of fast names fast itself (fast -> fast): a cycle. Remove it."),
        ("gpt-4.1 gpt-4.1", "The chain of fast names gpt-4.1 twice (fast -> gpt-4.1 -> gpt-4.1). Remove one."),
        ("vectors", "vectors is an embedding alias and can't answer a chat (fast -> vectors). Remove it."),
        ("a b c d e f", "(fast -> a -> b -> c -> d -> e -> f): at most 5 follow the primary. Remove 1."),
    ],
)
def test_a_chain_that_can_not_work_is_refused_in_words(boss: Client, fast: Alias, chain: str, fault: str) -> None:
    cast.alias("vectors", "text-embedding-3-small", kind="embedding")
    before = Revision.current()
    assert fault in read(forms.fill(boss, page_of(fast), chain=chain)).text
    assert Revision.current() == before


def test_an_embedding_alias_has_no_chain_and_no_chat_model(boss: Client, fast: Alias) -> None:
    vectors = cast.alias("vectors", "text-embedding-3-small", kind="embedding")
    cast.model("text-embedding-3-small", endpoints=["embeddings"])
    assert "An embedding alias has no chain" in read(forms.fill(boss, page_of(vectors), chain="fast")).text
    refused = forms.fill(boss, page_of(vectors), default_model="gpt-4.1")
    assert "gpt-4.1 makes no embeddings" in read(refused).text
    refused = forms.fill(boss, page_of(fast), default_model="text-embedding-3-small")
    assert "text-embedding-3-small makes embeddings only" in read(refused).text


def test_a_change_is_saved_under_a_revision_and_logged(boss: Client, fast: Alias) -> None:
    before = Revision.current()
    forms.fill(boss, page_of(fast), default_model="gpt-5.1")
    assert Revision.current() == before + 1
    assert LogEntry.objects.get().get_change_message() == "Changed Default model."


def test_a_model_that_ends_is_saved_with_a_warning(boss: Client, fast: Alias) -> None:
    cast.model("gpt-old", shutdown_date=date(2020, 1, 2), replacement="gpt-new")
    asked = read(forms.fill(boss, page_of(fast), default_model="gpt-old", acknowledge=False)).text
    assert "gpt-old was shut down on 2020-01-02, replacement gpt-new (default of the alias fast)." in asked
    assert forms.fill(boss, page_of(fast), default_model="gpt-old").status_code == 302
    fast.refresh_from_db()
    assert fast.default_model == "gpt-old"


def test_a_name_that_is_a_model_too_is_saved_with_a_warning(boss: Client) -> None:
    cast.model("o4")
    asked = {"name": "o4", "kind": "role", "default_model": "o4"}
    told = read(forms.fill(boss, f"{LIST}add/", acknowledge=False, **asked)).text
    assert "The alias o4 hides the model of the same name from callers" in told
    assert forms.fill(boss, f"{LIST}add/", **asked).status_code == 302


def test_name_and_kind_are_fixed_once_saved(boss: Client, fast: Alias) -> None:
    assert not {"name", "kind"} & forms.values(boss, page_of(fast)).keys()
    assert {"name", "kind"} <= forms.values(boss, f"{LIST}add/").keys()
    forms.fill(boss, page_of(fast), name="quick", kind="role")
    fast.refresh_from_db()
    assert (fast.name, fast.kind) == ("fast", "chat_mode")


def test_inferring_is_a_switch_of_auto_alone(boss: Client, fast: Alias) -> None:
    auto = cast.alias("auto")
    page = read(boss.get(page_of(auto)))
    assert "Off pins auto to its model" in page.text
    assert "infer" not in forms.values(boss, page_of(fast))
    forms.fill(boss, page_of(auto), infer=None)
    auto.refresh_from_db()
    assert auto.infer is False


def test_an_alias_that_a_chain_names_stays(boss: Client, fast: Alias) -> None:
    cast.alias("deep", chain=["fast"])
    answer = forms.confirm(boss, f"{LIST}{fast.pk}/delete/")
    assert "The alias fast is a rung of deep: take it out of their chains first." in read(answer).text
    assert Alias.objects.filter(pk=fast.pk).exists()
    deep = Alias.objects.get(name="deep")
    forms.confirm(boss, f"{LIST}{deep.pk}/delete/")
    assert not Alias.objects.filter(pk=deep.pk).exists()


def test_overrides_are_edited_on_the_page_of_their_alias(boss: Client, fast: Alias) -> None:
    override = Override.objects.create(alias=fast, project=cast.project(), model="gpt-5.1")
    before = Revision.current()
    changed = {"overrides-0-model": "gpt-4.1", "overrides-0-reason": "cheaper"}
    assert forms.fill(boss, page_of(fast), **changed).status_code == 302
    override.refresh_from_db()
    assert (override.model, override.reason) == ("gpt-4.1", "cheaper")
    assert Revision.current() > before


def test_a_blank_variable_is_told_from_one_that_is_not_set(
    boss: Client, fast: Alias, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"OPENAI_MODEL_FAST": " "}
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: values)
    assert "set, but blank: counts as not set" in read(boss.get(page_of(fast))).text
    values["OPENAI_MODEL_FAST"] = "gpt-5.1"
    assert "gpt-5.1 environment" in read(boss.get(page_of(fast))).text
    del values["OPENAI_MODEL_FAST"]
    assert "Value now: not set" in read(boss.get(page_of(fast))).text


def test_a_configuration_that_can_not_be_read_is_told_and_hides_nothing(boss: Client, fast: Alias) -> None:
    fast.default_model = ""
    fast.save()
    text = read(boss.get(LIST)).text
    assert "unreadable: alias fast: It has no default model: name one. [default_missing]" in text
