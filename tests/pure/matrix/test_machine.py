"""YAML and environment files: what they say, and every way in which they can't be read."""

from __future__ import annotations

import pytest

from iwrouting.planning.matrix import Form, MatrixRefused, read_matrix
from iwrouting.planning.matrix.reading import MAX_BYTES, form_of

HEAD = "matrix: 1\n"


def refused(data: str | bytes, form: Form | None = None) -> list[str]:
    with pytest.raises(MatrixRefused) as error:
        read_matrix(data.encode() if isinstance(data, str) else data, form)
    return [fault.told("m") for fault in error.value.faults]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("# A comment\nmatrix: 1\n", Form.YAML),
        ("---\n# x\naliases: {}\nmatrix: 1\n", Form.YAML),
        ("# Title\n\nStatus: here\n", Form.MARKDOWN),
        ("---\ntitle: x\n---\n# Title\n", Form.MARKDOWN),
        ("# x\n\nexport OPENAI_MODEL_FAST='a'  # quick\n", Form.ENV),
        ("OPENAI_MODEL_FAST=\n", Form.ENV),
        ("## 2. Variables\n", Form.MARKDOWN),
        ("", Form.MARKDOWN),
    ],
)
def test_a_form__is_told_by_the_first_line_that_is_no_comment(text: str, form: Form) -> None:
    assert form_of(text) is form


@pytest.mark.parametrize(
    "begin", ["A=", "OPENAI_MODEL_FAST=", "export ", "OPENAI_MODEL_FAST=a ", "- OPENAI_MODEL_FAST "]
)
@pytest.mark.parametrize("form", [None, Form.ENV, Form.MARKDOWN])
def test_a_line_of_space__before_something_else__is_refused_and_not_tried_in_every_way(
    begin: str, form: Form | None
) -> None:
    lines = f"{begin}{' ' * 9_900}x y\n" * 8 + f"{begin}{' ' * 150_000}x y"
    if form is Form.MARKDOWN:  # what is told as not read is no fault
        lines = f"- `OPENAI_MODEL_FAST` a `b`:\n{lines}"
    assert refused(lines, form)


def test_yaml__says_what_markdown_says__and_the_kind() -> None:
    text = (
        "aliases:\n  fast: {kind: role, variable: OPENAI_MODEL_FAST, default: [a, b], design: c}\n  x: {default: a}\n"
    )
    text += "effective:\n  fast for all projects: {model: d, source: override}\n  fast for atlas: {model: e}\n"
    found = read_matrix(f"{HEAD}{text}".encode()).statements
    assert [(each.line, each.what.value, each.alias, each.values, each.profile, each.project) for each in found] == [
        (3, "variable", "fast", ("OPENAI_MODEL_FAST",), "", None),
        (3, "kind", "fast", ("role",), "", None),
        (3, "default", "fast", ("a", "b"), "runtime", None),
        (3, "default", "fast", ("c",), "design", None),
        (4, "variable", "x", ("",), "", None),
        (4, "default", "x", ("a",), "runtime", None),
        (6, "effective", "fast", ("d",), "", None),
        (7, "effective", "fast", ("e",), "", "atlas"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "line 1: A written matrix begins with `matrix: 1`."),
        ("version: 1\naliases: {}\n", "line 1: This is a bundle of the configuration: config_plan compares it."),
        ("matrix: 2\n", "line 1: This release reads version 1 alone: expected `matrix: 1`."),
        (HEAD + "alises: {}\n", "line 2: 'alises' is no section. Did you mean aliases?"),
        (HEAD + "aliases: []\n", "line 2: aliases must hold names with their fields; write {} for none."),
        (HEAD + "aliases:\n  fast: a\n", "line 3: 'fast' must hold fields, such as `default: gpt-4.1`."),
        (HEAD + "aliases:\n  fast: {defalt: a}\n", "line 3: 'defalt' is no field of the alias 'fast'. Did you mean"),
        (HEAD + "aliases:\n  Fast: {default: a}\n", "line 3: 'Fast' is no name of an alias"),
        (HEAD + "aliases:\n  fast:\n    default: a b\n", "line 4: 'a b' is no model id"),
        (HEAD + "aliases:\n  fast:\n    default: []\n", "line 4: default must be a model, or a list of models"),
        (HEAD + "aliases:\n  fast:\n    kind: mode\n", "line 4: 'mode' is no kind: expected one of chat_mode, role"),
        (HEAD + "aliases:\n  fast:\n    variable: [A]\n", "line 4: variable must be one text."),
        (HEAD + "aliases:\n  fast:\n    variable: PATH\n", "line 4: 'PATH' is no routing variable"),
        (HEAD + "effective:\n  fast: {model: a}\n", "line 3: 'fast' names nobody: expected ALIAS for PROJECT"),
        (HEAD + "effective:\n  fast for atlas: {}\n", "line 3: 'fast for atlas' has no model: expected `model: ...`."),
        (HEAD + "aliases: {fast: &x {}}\n", "line 2: Anchors (&name) have no place in a matrix: remove it."),
        (HEAD + "aliases: {fast: {}, fast: {}}\n", "line 2: fast stands here twice, first in line 2: remove one."),
        (HEAD, "line 1: Nothing in it was read as a matrix (yaml): expected aliases under `aliases`."),
    ],
)
def test_yaml_that_can_not_be_read__is_refused_with_its_line(text: str, told: str) -> None:
    [fault] = refused(text, Form.YAML)
    assert fault.startswith(f"m, {told}")


def test_an_environment__says_what_serves__and_is_read_as_a_shell_would() -> None:
    text = (
        "A=1\nexport OPENAI_MODEL_FAST = \"a\"\nOPENAI_MODEL_DEEP='b' # x\nOPENAI_MODEL_CODE=\nOPENAI_EMBEDDING_MODEL=c"
    )
    found = read_matrix(text.encode())
    assert [(each.line, each.variable, each.values) for each in found.statements] == [
        (2, "OPENAI_MODEL_FAST", ("a",)),
        (3, "OPENAI_MODEL_DEEP", ("b",)),
        (5, "OPENAI_EMBEDDING_MODEL", ("c",)),
    ]
    assert [each.told() for each in found.not_read] == [
        "line 1: A is no routing variable.",
        "line 4: OPENAI_MODEL_CODE is blank, which counts as not set.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("OPENAI_MODEL_FAST=a b\n", "m, line 1: OPENAI_MODEL_FAST has no value that can be read: expected"),
        ("OPENAI_MODEL_FAST\n", "m, line 1: OPENAI_MODEL_FAST has no value that can be read"),
        ("OPENAI_MODEL_fast=a\n", "m, line 1: 'OPENAI_MODEL_fast' is no routing variable"),
        ("OPENAI_MODEL_FAST='a b'\n", "m, line 1: OPENAI_MODEL_FAST has a value that is no model id: expected one"),
        ("A=1\n", "m, line 1: Nothing in it was read as a matrix (env): expected lines such as"),
    ],
)
def test_an_environment_that_can_not_be_read__is_refused_with_its_line(text: str, told: str) -> None:
    [fault] = refused(text, Form.ENV)
    assert fault.startswith(told)


def test_bytes_that_are_no_document__are_refused() -> None:
    assert refused(b"\n\xff") == ["m, line 2: It is not UTF-8 text: save it as UTF-8."]
    assert refused(b"x" * (MAX_BYTES + 1)) == ["m, line 1: It has 262,145 bytes; a matrix has at most 262,144."]


@pytest.mark.parametrize("text", ["# " + "# " * 100_000, "<!--" * 50_000, "`" * 200_000, "* **" + "**a" * 60_000])
def test_a_document_made_to_be_slow__is_not(text: str) -> None:
    """It ends: a pattern that goes back and forth over these would not, and the run's own time limit would tell."""
    assert refused(text)[0].startswith("m, line 1: Nothing in it was read")
