"""A matrix that is written down reads back as it is; each edit of either side is found, and named exactly once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from iwrouting.planning.matrix import Form, MatrixRefused, live_matrix, unsaid
from iwrouting.planning.matrix.live import serving
from iwrouting.planning.matrix.reading import form_of
from iwrouting.resolver import resolve
from iwrouting.types import AliasFacts, Configuration, Kind, Source
from tests.harness.samples import sample
from tests.pure.matrix.worlds import (
    BUILTIN,
    NEW,
    NOW,
    PROJECTS,
    configurations,
    differences,
    read_back,
    with_alias,
    with_override,
    with_variable,
    written_down,
)

MODEL = re.compile(r"""^(.*(?:→ `|: `|": "))[^`"]+([`"][^`"]*)$""")
"""A line that says a model, around it."""

WHOLE = st.sampled_from((Form.MARKDOWN, Form.YAML))


def one(text: str, config: Configuration) -> tuple[str, str, str | None]:
    """Code, alias and project of the only difference."""
    [found] = differences(text, config)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.lines)
    return found.code.value, found.alias, found.project


def shared(config: Configuration) -> set[str]:
    counts = Counter(alias.variable for alias in config.aliases.values())
    return {variable for variable, count in counts.items() if count > 1}


def serves(config: Configuration, alias: str, project: str | None = None) -> tuple[str, Source]:
    found = resolve(config, alias, project=project, now=NOW)
    return found.model, found.source


@sample(40)
@given(configurations(), st.sampled_from(Form), st.sampled_from((None, *PROJECTS)))
def test_what_is_exported__is_read_back__without_a_difference(
    config: Configuration, form: Form, project: str | None
) -> None:
    text = written_down(config, form, project)
    assert written_down(config, form, project) == text
    if form is Form.ENV and "=" not in text:
        with pytest.raises(MatrixRefused, match="OPENAI_MODEL_FAST=gpt"):
            read_back(text, Form.ENV)
        return
    assert form_of(text) is form
    assert read_back(text).not_read == ()
    found = {each.alias for each in differences(text, config, project)}
    said = unsaid(live_matrix(config, NOW, BUILTIN, project)) if form is Form.ENV else []
    assert found == {line.split(" ")[0] for line in said if " as well" in line}


@sample(20)
@given(configurations(), WHOLE, st.data())
def test_another_default__is_found_once(config: Configuration, form: Form, data: st.DataObject) -> None:
    text = written_down(config, form)
    name = data.draw(st.sampled_from(sorted(config.aliases)))
    changed = with_alias(config, replace(config.aliases[name], default_model=NEW))
    assert one(text, changed) == ("other_default", name, None)


@sample(20)
@given(configurations(), st.sampled_from(Form), st.sampled_from((None, *PROJECTS)), st.data())
def test_another_override__is_found_once(
    config: Configuration, form: Form, project: str | None, data: st.DataObject
) -> None:
    text = written_down(config, form, project if form is Form.ENV else None)
    known = [alias.name for alias in config.aliases.values() if alias.variable or form is not Form.ENV]
    assume(known and not (form is Form.ENV and shared(config)))
    name = data.draw(st.sampled_from(sorted(known)))
    code = "override_serves" if project is None else "project_override_serves"
    [found] = differences(text, with_override(config, name, project, NEW), project if form is Form.ENV else None)
    assert (found.code, found.alias, found.project) == (code, name, project)


@sample(20)
@given(configurations(), st.sampled_from(Form), st.data())
def test_another_environment__is_found_once__unless_an_override_shadows_it(
    config: Configuration, form: Form, data: st.DataObject
) -> None:
    assume(not shared(config))
    names = sorted(alias.name for alias in config.aliases.values() if alias.variable)
    assume(names)
    name = data.draw(st.sampled_from(names))
    text = written_down(config, form)
    changed = with_variable(config, config.aliases[name].variable, NEW)
    if serves(changed, name)[0] == NEW:
        assert one(text, changed) == ("environment_serves", name, None)
    else:
        assert differences(text, changed) == []


@sample(20)
@given(configurations(), WHOLE, st.data())
def test_an_override_that_ends__is_found_once__where_another_model_serves_then(
    config: Configuration, form: Form, data: st.DataObject
) -> None:
    assume(config.overrides)
    project, name = data.draw(st.sampled_from(sorted(config.overrides, key=str)))
    text = written_down(config, form)
    left = {key: each for key, each in config.overrides.items() if key != (project, name)}
    changed = replace(config, overrides=left)
    model, source = serves(changed, name, project)
    if model == serves(config, name, project)[0]:
        assert differences(text, changed) == []
    else:
        assert one(text, changed) == (f"{source}_serves", name, project)


@sample(20)
@given(configurations(), WHOLE, st.data())
def test_an_alias_that_is_gone_new_or_reads_another_variable__is_found_once(
    config: Configuration, form: Form, data: st.DataObject
) -> None:
    text = written_down(config, form)
    name = data.draw(st.sampled_from(sorted(config.aliases)))
    alias = config.aliases[name]
    gone = {other: each for other, each in config.aliases.items() if other != name}
    assert one(text, replace(config, aliases=gone)) == ("missing_alias", name, None)
    added = AliasFacts("ghost", Kind.ROLE, data.draw(st.sampled_from(("", alias.variable))), NEW)
    assert one(text, with_alias(config, added)) == ("unwritten_alias", "ghost", None)
    model = serving(config, alias, None, NOW).model
    moved = replace(alias, variable="OPENAI_MODEL_MOVED")
    changed = with_variable(
        with_alias(config, moved), moved.variable, config.environment.values.get(alias.variable, "")
    )
    assert serves(changed, name)[0] == model
    assert one(text, changed) == ("other_variable", name, None)


@sample(20)
@given(configurations(), WHOLE)
def test_under_the_design__what_has_not_its_target_yet__is_found_once(config: Configuration, form: Form) -> None:
    expected = {
        (name, alias.default_model)
        for name, alias in config.aliases.items()
        if name in BUILTIN and alias.default_model != BUILTIN[name].design_model
    }
    found = differences(written_down(config, form), config, profile="design")
    assert sorted((each.alias, each.live) for each in found) == sorted(expected)
    assert {each.code.value for each in found} <= {"other_default"}


@sample(25)
@given(configurations(), WHOLE, st.data())
def test_many_changes_of_what_is_live__are_each_found_once(
    config: Configuration, form: Form, data: st.DataObject
) -> None:
    text, changed = written_down(config, form), config
    expected: list[tuple[str, str, str | None]] = []
    for name, alias in config.aliases.items():
        kind = data.draw(st.sampled_from(("none", "default", "override", "atlas", "gone", "kind")))
        if kind == "default":
            changed = with_alias(changed, replace(alias, default_model=NEW))
            expected.append(("other_default", name, None))
        elif kind in ("override", "atlas"):
            project = None if kind == "override" else "atlas"
            changed = with_override(changed, name, project, NEW)
            expected.append(("override_serves" if project is None else "project_override_serves", name, project))
        elif kind == "gone":
            changed = replace(changed, aliases={key: each for key, each in changed.aliases.items() if key != name})
            expected.append(("missing_alias", name, None))
        elif kind == "kind" and form is Form.YAML:
            other = Kind.ROLE if alias.kind is not Kind.ROLE else Kind.CHAT_MODE
            changed = with_alias(changed, replace(alias, kind=other))
            expected.append(("other_kind", name, None))
    found = [(each.code.value, each.alias, each.project) for each in differences(text, changed)]
    assert sorted(found, key=str) == sorted(expected, key=str)


@sample(25)
@given(configurations(), st.data())
def test_many_edits_of_a_document__are_each_found_once(config: Configuration, data: st.DataObject) -> None:
    document = yaml.safe_load(written_down(config, Form.YAML))
    expected = []
    for name, alias in config.aliases.items():
        fields = document["aliases"][name]
        kind = data.draw(
            st.sampled_from(("none", "default", "no_default", "variable", "no_variable", "gone", "served"))
        )
        if kind == "default":
            fields["default"] = [NEW, "new-2"]
            expected.append(("other_default", name, None))
        elif kind == "no_default":
            del fields["default"]
            expected.append(("unwritten_default", name, None))
        elif kind == "variable" or (kind == "no_variable" and alias.variable):
            fields["variable"] = "OPENAI_MODEL_MOVED" if kind == "variable" else None
            if kind == "no_variable":
                del fields["variable"]
            expected.append(("other_variable", name, None))
        elif kind == "gone":
            del document["aliases"][name]
            served = {key: each for key, each in document["effective"].items() if not key.startswith(f"{name} for ")}
            document["effective"] = served
            expected.append(("unwritten_alias", name, None))
        elif kind == "served":
            document["effective"][f"{name} for all projects"] = {"model": NEW}
            expected.append((f"{serves(config, name)[1]}_serves", name, None))
    document["aliases"]["ghost"] = {"default": NEW}
    expected.append(("missing_alias", "ghost", None))
    found = [(each.code.value, each.alias, each.project) for each in differences(yaml.safe_dump(document), config)]
    assert sorted(found, key=str) == sorted(expected, key=str)


@sample(20)
@given(configurations(), st.data())
def test_another_model_in_a_line__is_found_once__with_that_line(config: Configuration, data: st.DataObject) -> None:
    text = written_down(config, Form.MARKDOWN)
    lines = text.split("\n")
    first = lines.index("### 3.1 Chat mode defaults")
    last = next((at for at, line in enumerate(lines) if line.startswith("- **Design")), len(lines))
    spots = [at for at, line in enumerate(lines) if at > first and not first < last <= at and "→ `" in line]
    spots += [at for at, line in enumerate(lines) if line.endswith('",') and '": "OPENAI_' not in line]
    spots += [at for at, line in enumerate(lines) if line.startswith("- `") and " for " in line.partition("`:")[0]]
    assume(spots)
    at = data.draw(st.sampled_from(sorted(set(spots))))
    lines[at] = MODEL.sub(rf"\g<1>{NEW}\g<2>", lines[at])
    [found] = differences("\n".join(lines), config)
    assert at + 1 in found.lines
    assert NEW in found.written


@sample(20)
@given(configurations(), WHOLE, st.data())
def test_a_model_that_is_none__is_refused_with_its_line(config: Configuration, form: Form, data: st.DataObject) -> None:
    lines = written_down(config, form).split("\n")
    mark = "    default: " if form is Form.YAML else "→ `"
    at = data.draw(st.sampled_from([at for at, line in enumerate(lines) if mark in line and "evil" not in line]))
    lines[at] = lines[at].partition(mark)[0] + mark + ("gpt 4" if form is Form.YAML else "gpt 4`")
    with pytest.raises(MatrixRefused) as refused:
        read_back("\n".join(lines), form)
    assert [fault.line for fault in refused.value.faults] == [at + 1]
    assert "'gpt 4' is no model id" in refused.value.faults[0].message
