"""Files that are bundles and files that are none: each field in both directions, and every fault with its line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting.models.contents import name_of
from iwrouting.planning.bundles import BundleRefused, read_bundle, write_bundle
from iwrouting.planning.bundles.fields import SECTIONS, fields_of, is_required
from iwrouting.planning.bundles.nodes import MAX_BYTES
from iwrouting.snapshot.contents import Contents

HEAD = "version: 1\n"


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(BundleRefused) as error:
        read_bundle(text, "iw.yaml")
    return [fault.told() for fault in error.value.faults]


def by_name(contents: Contents) -> dict[str, dict[str, Any]]:
    return {word: {name_of(word, row): row for row in contents[word].values()} for word in SECTIONS.values()}


def test_defaults__of_the_fields__are_those_of_version_1() -> None:
    """A field that is left out is as it is by default: with another default, raise the version."""
    defaults = {
        section: {name: field.get_default() for name, field in fields_of(word).items() if not is_required(field)}
        for section, word in SECTIONS.items()
    }
    assert defaults == VERSION_1


VERSION_1: dict[str, dict[str, Any]] = {
    "upstreams": {
        "secret_ref": "",
        "connect_timeout_s": 5,
        "first_byte_timeout_s": 120,
        "idle_timeout_s": 60,
        "enabled": True,
    },
    "projects": {
        "name": "",
        "external_id": None,
        "owner": "",
        "enabled": True,
        "strict_parameters": False,
        "max_context_tokens": None,
        "max_run_tokens": None,
    },
    "models": {
        "upstream": None,
        "enabled": True,
        "endpoints": [],
        "context_window": None,
        "max_input": None,
        "max_output": None,
        "dimensions": None,
        "input_modalities": [],
        "reasoning": False,
        "default_effort": "",
        "sampling": "any",
        "completion_cap_param": "max_tokens",
        "refused_params": [],
        "efforts": [],
        "effort_for_tools": "",
        "hosted_tools": None,
        "vector_space": "",
        "shutdown_date": None,
        "replacement": "",
        "tier": "",
        "checked_on": None,
        "source": "",
    },
    "prices": {
        "input": None,
        "cached": None,
        "cache_write": None,
        "output": None,
        "source": "",
        "version": "",
        "is_manual": False,
    },
    "aliases": {
        "variable": "",
        "infer": True,
        "chain": [],
        "purpose": "",
        "subsystem": "",
        "tier": "",
        "deadline_s": None,
        "max_context_tokens": None,
    },
    "overrides": {"enabled": True, "infer": True, "starts_at": None, "expires_at": None, "reason": ""},
}

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
HARD = st.sampled_from(
    ["no", "null", "~", "1e3", "2026-12-01", "0x1f", "1_000", "a: b", "# c", "- d", " e ", "'", "\t", "\x85"]
)
WORDS = TEXT | HARD


@settings(max_examples=60, deadline=None)
@given(name=WORDS, purpose=WORDS, modes=st.lists(WORDS.filter(bool), max_size=3), pico=st.integers(0, 10**12))
def test_any_text_and_price__comes_back_as_it_was(name: str, purpose: str, modes: list[str], pico: int) -> None:
    contents: dict[str, dict[int, Any]] = {word: {} for word in SECTIONS.values()}
    project = {field.name: field.get_default() for field in fields_of("project").values()}
    contents["project"][1] = {"slug": "atlas", **project, "name": name, "owner": purpose}
    model = {field.name: field.get_default() for field in fields_of("model").values()}
    contents["model"][1] = {"model_id": "m", **model, "endpoints": ["chat"], "input_modalities": modes}
    price = {field.name: field.get_default() for field in fields_of("price").values()}
    at = {"model_id": "m", "service_tier": "flex", "above_input_tokens": 0, "valid_from": "2026-12-01T00:00:00.123456Z"}
    contents["price"][1] = {**at, **price, "input_pico": pico}
    text = write_bundle(contents)
    assert {word: dict(rows) for word, rows in read_bundle(text).sections.items()} == by_name(contents)
    assert yaml.safe_load(text)["projects"]["atlas"].get("name", "") == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "iw.yaml, line 1: It is empty: begin it with `version: 1`."),
        ("aliases: {}\n", "iw.yaml, line 1: It does not say which form it has: begin it with `version: 1`."),
        ("version: 2\n", "iw.yaml, line 1, version: This release reads version 1 alone."),
        ("[1]\n", "iw.yaml, line 1: A bundle begins with `version: 1`."),
        (HEAD + "a: [1\n", "iw.yaml, line 3: This is no YAML: did not find expected ',' or ']'."),
        (HEAD + "---\nversion: 1\n", "iw.yaml, line 2: A second document begins here: a bundle is one."),
        (HEAD + "aliases: {fast: &x {}}\n", "iw.yaml, line 2: Anchors (&name) have no place in a bundle: remove it."),
        (HEAD + "aliases: *x\n", "iw.yaml, line 2: *x is an alias: write out what it stands for."),
        (
            HEAD + "aliases: !!python/object:os.system {}\n",
            "iw.yaml, line 2: Tags (!name) have no place in a bundle: remove it.",
        ),
        (HEAD + "a: " + "[" * 9, "iw.yaml, line 2: Nothing in a bundle stands this deep: look at the indentation."),
        (
            HEAD + "aliases: {}\naliases: {}\n",
            "iw.yaml, line 3: aliases stands here twice, first in line 2: remove one.",
        ),
        (HEAD + "aliases:\n  ? [a]\n  : {}\n", "iw.yaml, line 3: A name is a text."),
        (HEAD + "overides: {}\n", "iw.yaml, line 2, overides: There is no such section. Did you mean overrides?"),
        (
            HEAD + "keys: {}\n",
            "iw.yaml, line 2, keys: API keys are in no bundle, and stay as they are: remove this section.",
        ),
        (
            HEAD + "aliases:\n",
            "iw.yaml, line 2, aliases: It must hold objects by their names: write {} where none are meant, or leave "
            "the section out.",
        ),
        (
            HEAD + "projects:\n  atlas: 5\n",
            "iw.yaml, line 3, projects, atlas: It must hold fields, such as `enabled: true`.",
        ),
        (
            HEAD + "projects:\n  atlas:\n    enabeld: true\n",
            "iw.yaml, line 4, projects, atlas, enabeld: There is no such field. Did you mean enabled?",
        ),
        (
            HEAD + "projects: {atlas: {zzz: 1}}\n",
            "iw.yaml, line 2, projects, atlas, zzz: There is no such field. There are name, external_id, owner, "
            "enabled, strict_parameters, max_context_tokens, max_run_tokens.",
        ),
        (
            HEAD + "aliases:\n  fast: {kind: role}\n",
            "iw.yaml, line 3, aliases, fast, default_model: It is missing: an object of this section has to say it.",
        ),
        (
            HEAD + "aliases: {fast: {kind: mode, default_model: x}}\n",
            "iw.yaml, line 2, aliases, fast, kind: Choose one of chat_mode, role, embedding.",
        ),
        (
            HEAD + "aliases: {fast: {kind: role, default_model: x, infer: yes}}\n",
            "iw.yaml, line 2, aliases, fast, infer: It must be true or false.",
        ),
        (
            HEAD + "aliases: {fast: {kind: role, default_model: x, chain: auto}}\n",
            "iw.yaml, line 2, aliases, fast, chain: It must be a list of names, such as [auto, fast].",
        ),
        (
            HEAD + "aliases: {fast: {kind: role, default_model: [x]}}\n",
            "iw.yaml, line 2, aliases, fast, default_model: It must be one text, not a list.",
        ),
        (
            HEAD + "aliases: {fast: {kind: role, default_model: null}}\n",
            "iw.yaml, line 2, aliases, fast, default_model: It can't be empty: write ''.",
        ),
        (
            HEAD + "projects: {atlas: {max_run_tokens: 1.5}}\n",
            "iw.yaml, line 2, projects, atlas, max_run_tokens: It must be a whole number.",
        ),
        (
            HEAD + "projects: {atlas: {max_run_tokens: many}}\n",
            "iw.yaml, line 2, projects, atlas, max_run_tokens: It must be a number.",
        ),
        (
            HEAD + "overrides: {manager: {model: x}}\n",
            "iw.yaml, line 2, overrides, manager: It must be called ALIAS for PROJECT, or ALIAS for all projects.",
        ),
        (
            HEAD + "overrides: {a for b: {model: x, starts_at: 2026-12-01}}\n",
            "iw.yaml, line 2, overrides, a for b, starts_at: It must say its zone: end it with Z for UTC.",
        ),
        (
            HEAD + "overrides: {a for b: {model: x, starts_at: soon}}\n",
            "iw.yaml, line 2, overrides, a for b, starts_at: It must be a time such as 2026-12-01T00:00:00Z.",
        ),
        (
            HEAD + "models: {m: {endpoints: [chat], shutdown_date: soon}}\n",
            "iw.yaml, line 2, models, m, shutdown_date: It must be a day such as 2026-12-01.",
        ),
        (
            HEAD + "prices: {m default from 2026-12-01T00:00:00Z: {input: 0.0000001}}\n",
            "iw.yaml, line 2, prices, m default from 2026-12-01T00:00:00Z, input: It must be dollars per 1M tokens, "
            "such as 2.5, with at most 6 decimals.",
        ),
        (
            HEAD + "prices:\n  m default from 2026-12-01T00:00Z: {}\n  m default from 2026-12-01T01:00+01:00: {}\n",
            "iw.yaml, line 4, prices, m default from 2026-12-01T00:00:00Z: It stands here twice, first in line 3.",
        ),
    ],
)
def test_a_file_that_is_no_bundle__is_refused_with_its_line(text: str, told: str) -> None:
    assert refused(text) == [told]


def test_refusal__tells_every_fault__and_no_secret() -> None:
    text = (
        HEAD
        + "upstreams:\n  eu:\n    base_url: https://eu.example/v1\n    secret_ref: sk-12345\n  x y: {base_url: a}\n"
    )
    told = refused(text)
    assert [line.split(": ")[0] for line in told] == [
        "iw.yaml, line 5, upstreams, eu, secret_ref",
        "iw.yaml, line 6, upstreams, x y",
        "iw.yaml, line 6, upstreams, x y, base_url",
    ]
    assert "env:OPENAI_API_KEY" in told[0]
    assert "sk-12345" not in "".join(told)


def test_size_and_encoding__are_limited() -> None:
    assert refused(b"#" * (MAX_BYTES + 1)) == [
        f"iw.yaml, line 1: It has {MAX_BYTES + 1:,} bytes; a bundle has at most {MAX_BYTES:,}."
    ]
    assert refused(b"version: 1\nprojects: {\xff: {}}\n") == [
        "iw.yaml, line 2: It is not UTF-8 text: save it as UTF-8."
    ]
    assert refused("version: 1\x01\n") == [
        "iw.yaml, line 1: This is no YAML: there is a character in it that YAML does not allow."
    ]
    assert read_bundle("\ufeffversion: 1\n".encode()).sections == {}
