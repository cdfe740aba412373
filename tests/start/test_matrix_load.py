"""`manage.py matrix_load`: fills what is missing, keeps what was edited, and changes defaults only when told to."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting import catalogue
from iwrouting.management.first_start import FirstThings
from iwrouting.management.welcome import Welcome
from iwrouting.models import Alias, Change, Model
from iwrouting.snapshot import load

pytestmark = pytest.mark.django_db

WHY = "The design profile was agreed on"

# Section 3 of the owner's document: the defaults of its code, and where its design differs from them.
RUNTIME = {
    "auto": "gpt-4.1",
    "fast": "gpt-4.1-mini",
    "deep": "gpt-5.1",
    "budget": "gpt-4.1-nano",
    "research": "o3-deep-research",
    "code": "gpt-5.1-codex",
    "summary": "gpt-4.1-nano",
    "snapshot": "gpt-4.1-mini",
    "blueprint": "gpt-4.1-mini",
    "plan_tasks": "gpt-5-mini",
    "manager": "gpt-5.1",
    "worker_code": "gpt-5.1",
    "worker_test": "gpt-4.1-mini",
    "worker_doc": "gpt-4.1-mini",
    "alignment": "gpt-4.1-nano",
    "intent": "gpt-4.1-nano",
    "research_deep": "o3-deep-research",
    "embedding": "text-embedding-3-small",
}
DESIGN = {**RUNTIME, "auto": "gpt-4.1-mini", "fast": "gpt-4.1-nano", "code": "gpt-5.1"}


def edit(row: Alias | Model, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def defaults() -> dict[str, str]:
    return dict(Alias.objects.values_list("name", "default_model"))


def test_it_fills_an_empty_database(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("matrix_load")
    assert defaults() == RUNTIME
    assert set(RUNTIME.values()) <= set(Model.objects.values_list("model_id", flat=True))
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"Filled {Model.objects.count()} models and 18 aliases; rows that exist were left as they are.\n",
    )


def test_it_never_overwrites_an_edited_row_and_fills_a_missing_one() -> None:
    call_command("matrix_load")
    edit(Alias.objects.get(name="fast"), default_model="gpt-5.1", purpose="Edited by hand.", chain=[])
    edit(Model.objects.get(model_id="gpt-4.1"), enabled=False, tier="mine")
    Alias.objects.get(name="summary").delete()
    call_command("matrix_load")
    fast = Alias.objects.get(name="fast")
    assert (fast.default_model, fast.purpose, fast.chain) == ("gpt-5.1", "Edited by hand.", [])
    model = Model.objects.get(model_id="gpt-4.1")
    assert (model.enabled, model.tier) == (False, "mine")
    assert defaults() == {**RUNTIME, "fast": "gpt-5.1"}


def test_another_profile_is_planned_and_not_applied_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"Add --yes to do it") as error:
        call_command("matrix_load", profile="design", reason=WHY, acknowledge=["all"], format="table")
    assert error.value.returncode == 2
    assert [line.split()[2:] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["auto", "default_model", "gpt-4.1", "gpt-4.1-mini"],
        ["code", "default_model", "gpt-5.1-codex", "gpt-5.1"],
        ["fast", "default_model", "gpt-4.1-mini", "gpt-4.1-nano"],
    ]
    assert defaults() == RUNTIME


def test_another_profile__needs_a_reason__and_the_first_filling_none() -> None:
    with pytest.raises(CommandError, match="Say why in 5 to 300 characters") as error:
        call_command("matrix_load", profile="design", yes=True)
    assert error.value.returncode == 2
    assert defaults() == RUNTIME
    assert Change.objects.get().reason == "Loaded the built-in matrix"
    call_command("matrix_load", profile="design", reason=WHY, acknowledge=["all"], yes=True)
    assert Change.objects.get(revision=2).reason == WHY


def test_dry_run__shows_what_it_would_do_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for profile, changes in (("runtime", 0), ("design", 3)):
        with pytest.raises(CommandError) as error:
            call_command("matrix_load", profile=profile, dry_run=True, format="json")
        assert error.value.returncode == 3
        out = capsys.readouterr().out
        assert (len(json.loads(out)["changes"]) if out else 0) == changes
    assert not Alias.objects.exists()
    assert not Change.objects.exists()


def test_yes_applies_exactly_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("matrix_load", profile="design", reason=WHY, acknowledge=["all"], yes=True)
    assert defaults() == DESIGN
    assert capsys.readouterr().err.endswith("Changed 3 rows: revision 2.\n")


def test_the_design_covers_edited_defaults_and_leaves_the_rest_of_the_row() -> None:
    call_command("matrix_load")
    edit(Alias.objects.get(name="manager"), default_model="gpt-4.1", chain=["fast"])
    Alias.objects.create(name="greeter", kind="role", default_model="gpt-4.1")
    call_command("matrix_load", profile="design", reason=WHY, acknowledge=["all"], yes=True)
    assert defaults() == {**DESIGN, "greeter": "gpt-4.1"}
    assert Alias.objects.get(name="manager").chain == ["fast"]


def test_a_profile_that_holds_already_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("matrix_load", profile="design", reason=WHY, acknowledge=["all"], yes=True)
    capsys.readouterr()
    call_command("matrix_load", profile="design", reason=WHY)
    said = capsys.readouterr()
    assert said.out == ""
    assert "Every default is as the profile design has it." in said.err


@pytest.mark.parametrize(
    ("typed", "expected"), [(["y", "y"], DESIGN), (["y", "n"], RUNTIME), (["y", ""], RUNTIME), (["n"], RUNTIME)]
)
def test_on_a_terminal_it_asks__first_about_what_is_found(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], expected: dict[str, str]
) -> None:
    answers = iter(typed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    with pytest.raises(CommandError) if typed == ["n"] else nullcontext():
        call_command("matrix_load", profile="design", reason=WHY)
    assert defaults() == expected
    assert next(answers, None) is None


OLD = "OpenAI API reference and deprecations pages; LiteLLM price map 1.109.1; genai-prices 0.2.3; models.dev"
UNLEARNED: dict[str, Any] = {"refused_params": [], "efforts": [], "effort_for_tools": "", "hosted_tools": None}


def test_facts_that_the_file_has_learned__are_filled_once_into_rows_of_an_earlier_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("matrix_load")
    edit(Model.objects.get(model_id="gpt-5.1"), **UNLEARNED, source=OLD, default_effort="low")
    edit(Model.objects.get(model_id="gpt-5-mini"), **{**UNLEARNED, "refused_params": ["seed"]}, source=OLD)
    edit(Model.objects.get(model_id="gpt-6.1-sol"), **UNLEARNED, source="my own tests")
    capsys.readouterr()
    call_command("matrix_load")
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["Learned of gpt-5-mini: efforts.", "Learned of gpt-5.1: refused_params, efforts."]
    filled = Model.objects.get(model_id="gpt-5.1")
    assert filled.efforts == ["none", "low", "medium", "high"]
    assert "stop" in filled.refused_params
    assert (filled.default_effort, filled.source == OLD) == ("low", False)
    assert Model.objects.get(model_id="gpt-5-mini").refused_params == ["seed"]
    assert Model.objects.get(model_id="gpt-6.1-sol").efforts == []
    edit(filled, efforts=[])
    call_command("matrix_load")
    assert Model.objects.get(model_id="gpt-5.1").efforts == []
    assert "Learned" not in capsys.readouterr().err


def test_every_fact_of_the_file__stands_in_the_rows_and_comes_back_from_them() -> None:
    call_command("matrix_load")
    config = load()
    for name, entry in catalogue.models().items():
        assert replace(config.models[name], saved_at=None) == entry.facts


def test_start__tells_of_which_models_more_is_known() -> None:
    told = Welcome("127.0.0.1", 8000, FirstThings("admin", learned=("gpt-5.1", "gpt-4.1")), False).text()
    assert "Catalogue learned more, and filled it in, of gpt-5.1, gpt-4.1\n" in told
    assert "Catalogue" not in Welcome("127.0.0.1", 8000, FirstThings("admin"), False).text()
