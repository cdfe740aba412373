"""Bundles: a configuration as YAML and back, and every way in which a file can be none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iwrouting.models import Model, Price, Revision
from iwrouting.models.contents import CONFIGURATION, name_of
from iwrouting.planning import apply_plan, rehearse
from iwrouting.planning.bundles import BundleRefused, plan_bundle, read_bundle, write_bundle
from iwrouting.planning.bundles.fields import SECTIONS, fields_of, is_required
from iwrouting.planning.bundles.nodes import MAX_BYTES
from iwrouting.snapshot.contents import Contents, contents_now
from iwrouting.types import Operation
from tests.planning.cast import LATER, by_ann, fill, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

HEAD = "version: 1\n"
BEGIN = "1970-01-01T00:00:00Z"
PRICED = "{input: 1, output: 4}"


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(BundleRefused) as error:
        read_bundle(text, "iw.yaml")
    return [fault.told() for fault in error.value.faults]


def edited(section: str, name: str, **fields: Any) -> str:
    """The bundle of what is stored with other fields in one object; without the object where no field is given."""
    document = yaml.safe_load(write_bundle(contents_now()))
    if fields:
        document[section][name] = {**document[section].get(name, {}), **fields}
    else:
        del document[section][name]
    return yaml.safe_dump(document)


def test_export__of_the_built_in_matrix__reads_back_as_it_was() -> None:
    with by_ann():
        call_command("matrix_load")
    now = contents_now()
    bundle = read_bundle(write_bundle(now))
    assert {word: dict(rows) for word, rows in bundle.sections.items()} == _by_name(now)
    assert len(bundle.sections["alias"]) == 18


def _by_name(contents: Contents) -> dict[str, dict[str, Any]]:
    return {word: {name_of(word, row): row for row in contents[word].values()} for word in SECTIONS.values()}


def test_round_trip__into_an_empty_database__is_the_identity() -> None:
    fill()
    text, before = write_bundle(contents_now()), stored("key")
    with by_ann():
        for model in reversed(list(CONFIGURATION.values())):
            for row in model._default_manager.all():
                models.Model.delete(row)
    plan = plan_bundle(read_bundle(text)).plan
    assert {row.operation for row in plan.changes} == {Operation.CREATE}
    assert rehearse(plan).faults == ()
    with by_ann() as made:
        apply_plan(plan, made)
    assert (write_bundle(contents_now()), stored("key")) == (text, before)
    assert plan_bundle(read_bundle(text), prune=True).plan.changes == ()
    assert Revision.current() == made.revision


def test_export__reads_well__and_holds_no_key() -> None:
    fill()
    text = write_bundle(contents_now())
    assert text.startswith("# The configuration of iwrouting")
    assert "  manager:\n    kind: role\n    default_model: gpt-5.1\n    chain: [fast]\n    deadline_s: 12.5\n" in text
    assert "\noverrides:\n  manager for all projects:\n    model: local-7\n    enabled: false\n" in text
    assert f"  gpt-4.1 default above 200000 from {LATER:%Y-%m-%dT%H:%M:%SZ}:\n    input: 0.075\n" in text
    assert "  gpt-4.1 default from 1970-01-01T00:00:00Z:\n    input: 2\n    output: 0.000001\n" in text
    assert "\n  boreas: {}\n" in text
    assert "backend" not in text
    assert "sha256" not in text
    assert yaml.safe_load(text)["overrides"]["manager for atlas"]["reason"] == "Cheaper"


def test_export__of_nothing__says_so_in_each_section() -> None:
    text = write_bundle(contents_now())
    assert yaml.safe_load(text) == {"version": 1, **{section: {} for section in SECTIONS}}
    assert plan_bundle(read_bundle(text)).plan.changes == ()


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert {word: dict(rows) for word, rows in read_bundle(text).sections.items()} == _by_name(contents)
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


def test_plan__of_one_edit__has_one_row_and_leaves_absent_sections_alone() -> None:
    fill()
    plan = plan_bundle(read_bundle(edited("aliases", "manager", default_model="gpt-4.1")), prune=True).plan
    [row] = plan.changes
    assert (row.operation, row.name, row.changed) == (
        Operation.CHANGE,
        "manager",
        {"default_model": ["gpt-5.1", "gpt-4.1"]},
    )
    assert plan_bundle(read_bundle(HEAD), prune=True).plan.changes == ()


def test_what_a_section_lacks__is_kept_and_deleted_only_with_prune() -> None:
    fill()
    text = edited("overrides", "manager for atlas")
    planned = plan_bundle(read_bundle(text))
    assert planned.plan.changes == ()
    assert [kept.told() for kept in planned.kept] == [
        "override manager for atlas: The bundle does not have it: it stays, and goes only with pruning (--prune)."
    ]
    pruned = plan_bundle(read_bundle(text), prune=True)
    assert [(row.operation, row.name) for row in pruned.plan.changes] == [("delete", "manager for atlas")]
    assert pruned.kept == ()


def test_prune__of_what_must_stay__tells_why() -> None:
    fill()
    with by_ann():
        model = Model.objects.get(model_id="local-7")
        model.enabled = False
        model.save()
    stays = "".join(f"  {name} default from {BEGIN}: {PRICED}\n" for name in ("gpt-5.1", "local-7"))
    models = "models:\n  gpt-4.1: {endpoints: [chat]}\n  gpt-5.1: {endpoints: [chat]}\n"
    text = f"{HEAD}projects: {{}}\nprices:\n{stays}{models}"
    planned = plan_bundle(read_bundle(text), prune=True)
    assert {(kept.object_type, kept.name, kept.why.split(":")[0]) for kept in planned.kept} == {
        ("project", "atlas", "One API key is for it"),
        ("price", "gpt-4.1 default from 1970-01-01T00:00:00Z", "It is or was in force, and costs were made with it"),
        ("model", "local-7", "It is switched off"),
    }
    assert {(row.operation, row.object_type) for row in planned.plan.changes} == {
        ("delete", "project"),
        ("delete", "price"),
        ("change", "model"),
    }


def test_prune__of_a_model_that_is_named_no_longer__goes_through() -> None:
    fill()
    document = yaml.safe_load(edited("aliases", "manager", default_model="gpt-4.1"))
    del document["models"]["gpt-5.1"]
    plan = plan_bundle(read_bundle(yaml.safe_dump(document)), prune=True).plan
    with by_ann() as made:
        apply_plan(plan, made)
    assert not Model.objects.filter(model_id="gpt-5.1").exists()


def test_a_price_in_force__can_not_be_another() -> None:
    fill()
    with pytest.raises(BundleRefused, match=r"gpt-4.1 default from 1970-01-01T00:00:00Z: It is or was in force"):
        plan_bundle(read_bundle(edited("prices", "gpt-4.1 default from 1970-01-01T00:00:00Z", input=3)))
    assert Price.objects.count() == 4


def test_a_new_base_url__clears_the_secret_reference_in_the_plan() -> None:
    fill()
    planned = plan_bundle(read_bundle(edited("upstreams", "eu", base_url="https://new.provider.example/v1")))
    [row] = planned.plan.changes
    assert row.changed["secret_ref"] == ["env:IW_UPSTREAM_EU", ""]
    assert planned.kept[0].why.startswith("Its secret reference is cleared")
    with by_ann() as made:
        apply_plan(planned.plan, made)
    again = plan_bundle(read_bundle(edited("upstreams", "eu", secret_ref="env:IW_UPSTREAM_EU")))
    assert [row.changed for row in again.plan.changes] == [{"secret_ref": ["", "env:IW_UPSTREAM_EU"]}]


def test_a_reference_to_nothing__is_named() -> None:
    fill()
    planned = plan_bundle(read_bundle(HEAD + "overrides:\n  manger for atlas: {model: gpt-4.1}\n"))
    assert planned.plan.missing == ("The override manger for atlas names the alias manger, which is not there.",)
