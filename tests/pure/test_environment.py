"""The environment layer: which variables route, and what a secret reference may reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.conf.environment import (
    environment_id,
    environment_secret_ref,
    read_environment,
    read_secret,
    secret_ref_fault,
    variables,
)
from iwrouting.conf.settings import SettingsError, load
from tests.pure.conftest import SetVariables


def test_environment__routing_variables__are_read_and_no_others(set_variables: SetVariables) -> None:
    set_variables(
        dotenv="OPENAI_MODEL_FAST=from-the-file\nOPENAI_MODEL_DEEP=from-the-file\n",
        OPENAI_MODEL_DEEP="from-the-process",
        OPENAI_MODEL_MANAGER=" gpt-5.1 ",
        OPENAI_MODEL_AUTO="",
        OPENAI_MODEL_CODE="   ",
        OPENAI_EMBEDDING_MODEL="text-embedding-3-small",
        OPENAI_API_KEY="sk-hush-hush",
        OPENAI_MODEL="no",
        OPENAI_MODEL_="no",
        OPENAI_MODEL_lower="no",
        OPENAI_BASE_URL="https://a.example",
    )
    assert read_environment().values == {
        "OPENAI_MODEL_FAST": "from-the-file",
        "OPENAI_MODEL_DEEP": "from-the-process",
        "OPENAI_MODEL_MANAGER": "gpt-5.1",
        "OPENAI_MODEL_AUTO": "",
        "OPENAI_MODEL_CODE": "",
        "OPENAI_EMBEDDING_MODEL": "text-embedding-3-small",
    }


@pytest.mark.parametrize(
    "value", ["two words", "-x", "sk-hush\nx", "a" * 129, "ünïcode", "'quoted'", "a,b", "$OPENAI_API_KEY", "a\\b", "{}"]
)
def test_environment__what_can_be_no_model_id__is_one_line_without_the_value(
    set_variables: SetVariables, value: str
) -> None:
    set_variables(OPENAI_MODEL_FAST=value, OPENAI_MODEL_DEEP="good", OPENAI_EMBEDDING_MODEL=value)
    with pytest.raises(SettingsError) as caught:
        read_environment()
    reason = "must be a model id such as gpt-4.1 (letters, digits and ._:/@+-)"
    assert caught.value.lines == [f"OPENAI_EMBEDDING_MODEL: {reason}", f"OPENAI_MODEL_FAST: {reason}"]


@pytest.mark.parametrize("value", ["gpt-4.1", "openai/gpt-5.1", "ft:gpt-4.1:org::id", "a@b+c", "x" * 128, "5"])
def test_environment__model_ids_of_providers__pass(set_variables: SetVariables, value: str) -> None:
    set_variables(OPENAI_MODEL_FAST=value)
    assert read_environment().values == {"OPENAI_MODEL_FAST": value}


VALUES = st.dictionaries(st.sampled_from(["OPENAI_MODEL_A", "OPENAI_MODEL_B", "OPENAI_MODEL_C"]), st.text(max_size=4))


@given(VALUES, VALUES)
def test_environment_id__is_the_same_for_the_same_values_alone(one: dict[str, str], other: dict[str, str]) -> None:
    assert (environment_id(one) == environment_id(other)) == (one == other)
    assert environment_id(dict(reversed(one.items()))) == environment_id(one)
    assert len(environment_id(one)) == 16


def test_environment_id__is_stable_over_releases() -> None:
    assert environment_id({"OPENAI_MODEL_FAST": "gpt-4.1-mini"}) == "81371c0605d3ec4c"


def test_variables__are_read_once(set_variables: SetVariables) -> None:
    set_variables(OPENAI_MODEL_FAST="first")
    assert variables()["OPENAI_MODEL_FAST"] == "first"
    os.environ["OPENAI_MODEL_FAST"] = "second"
    assert variables()["OPENAI_MODEL_FAST"] == "first"


@pytest.mark.parametrize(
    "reference",
    ["env:OPENAI_API_KEY", "env:IW_UPSTREAM_API_KEY", "env:IW_UPSTREAM_EU_2", "file:openai", "file:eu.key-1_a"],
)
def test_secret_ref__of_the_allowed_forms__passes(reference: str) -> None:
    assert secret_ref_fault(reference) == ""


REFUSED = [
    "",
    "env:",
    "file:",
    "env",
    "OPENAI_API_KEY",
    "sk-a-key-itself",
    "env:IW_SECRET_KEY",
    "env:DATABASE_URL",
    "env:PATH",
    "env:OPENAI_API_KEY2",
    "env:openai_api_key",
    "env:IW_UPSTREAM_",
    "env:IW_UPSTREAM_a",
    "env: OPENAI_API_KEY",
    "env:OPENAI_API_KEY\n",
    "ENV:OPENAI_API_KEY",
    "vault:x",
    "file:/etc/passwd",
    "file:../other",
    "file:..",
    "file:.hidden",
    "file:a/b",
    "file:a\\b",
    "file:a\x00b",
    "file:~root",
    "file:" + "a" * 129,
]


@pytest.mark.parametrize("reference", REFUSED)
def test_secret_ref__of_any_other_form__is_refused_and_reads_nothing(
    set_variables: SetVariables, tmp_path: Path, reference: str
) -> None:
    set_variables(IW_ENV="development", IW_SECRETS_DIR=str(tmp_path), IW_SECRET_KEY="k" * 40, DATABASE_URL="sqlite://")
    assert "must be env:OPENAI_API_KEY" in secret_ref_fault(reference)
    assert read_secret(reference) is None


def test_secret__in_a_variable__is_read_without_the_space_around_it(set_variables: SetVariables) -> None:
    set_variables(
        OPENAI_API_KEY=" sk-one\n", IW_UPSTREAM_EU="", IW_UPSTREAM_US="  ", dotenv="IW_UPSTREAM_ASIA=sk-two\n"
    )
    assert read_secret("env:OPENAI_API_KEY") == "sk-one"
    assert read_secret("env:IW_UPSTREAM_ASIA") == "sk-two"
    for name in ("EU", "US", "NOT_SET"):
        assert read_secret(f"env:IW_UPSTREAM_{name}") is None


def test_secret__in_a_file__is_read_inside_the_folder_alone(set_variables: SetVariables, tmp_path: Path) -> None:
    folder, outside = tmp_path / "secrets", tmp_path / "outside"
    (folder / "deeper").mkdir(parents=True)
    outside.write_text("hush-outside")
    (folder / "good").write_text("sk-file\n")
    (folder / "blank").write_text(" \n")
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "two-lines").write_text("sk-one\nsk-two\n")
    (folder / "escape").symlink_to(outside)
    (folder / "inner").symlink_to(folder / "good")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "dangling").symlink_to(folder / "nothing")
    set_variables(IW_ENV="development", IW_SECRETS_DIR=str(folder))
    assert (read_secret("file:good"), read_secret("file:inner")) == ("sk-file", "sk-file")
    for name in ("blank", "binary", "two-lines", "escape", "loop", "dangling", "deeper", "missing"):
        assert read_secret(f"file:{name}") is None


def test_secret__in_a_file_without_a_folder__is_missing(set_variables: SetVariables, tmp_path: Path) -> None:
    (tmp_path / "good").write_text("sk-file")
    set_variables(IW_ENV="development")
    assert read_secret("file:good") is None
    set_variables(IW_ENV="development", IW_SECRETS_DIR=str(tmp_path))
    assert read_secret("file:good", load()) == "sk-file"


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (None, "env:OPENAI_API_KEY"),
        ("", "env:OPENAI_API_KEY"),
        ("  ", "env:OPENAI_API_KEY"),
        ("k", "env:IW_UPSTREAM_API_KEY"),
    ],
)
def test_environment_secret__ours_wins_where_it_is_set(
    set_variables: SetVariables, ours: str | None, reference: str
) -> None:
    set_variables(OPENAI_API_KEY="theirs", **({} if ours is None else {"IW_UPSTREAM_API_KEY": ours}))
    assert environment_secret_ref() == reference
