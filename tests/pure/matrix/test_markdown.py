"""Lines of Markdown: those that say something, those that are told as not read, and those that are refused."""

from __future__ import annotations

import pytest

from iwrouting.planning.matrix import Form, MatrixRefused, Written, read_matrix

Said = list[tuple[str, str, tuple[str, ...], str]]


def read(text: str) -> Written:
    return read_matrix(text.encode(), Form.MARKDOWN)


def said(text: str) -> Said:
    return [(each.what.value, each.alias, each.values, each.profile) for each in read(text).statements]


def defaults(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [each[1:] for each in said(text) if each[0] == "default"]


def refused(text: str) -> list[str]:
    with pytest.raises(MatrixRefused) as error:
        read(text)
    return [fault.told("m.md") for fault in error.value.faults]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("- `OPENAI_MODEL_FAST` → `a`", ("a",)),
        ("* `OPENAI_MODEL_FAST` -> `a`.", ("a",)),
        ("1. `OPENAI_MODEL_FAST` => `a` or `b`", ("a", "b")),
        ("  - `OPENAI_MODEL_FAST`   →   `a` (or `b`)\r", ("a", "b")),
        ("`OPENAI_MODEL_FAST` → `a`, `b`, or `c`", ("a", "b", "c")),
        ("- `OPENAI_MODEL_FAST` → `a` / `b` (until May)", ("a", "b")),
        ("- `OPENAI_MODEL_FAST` → `a` – cheap", ("a",)),
        ("- `OPENAI_MODEL_QUICK` (alias `fast`) → `a`", ("a",)),
        ("- `fast` (no variable) → `a`", ("a",)),
        ("## Defaults\n- `fast` → `a`", ("a",)),
        ("- `OPENAI_MODEL_FAST`\n  - Recommended default: `a`.", ("a",)),
        ("```python\n_ROLE_DEFAULT_MODELS: dict[str, str] = {'fast': 'a'}\n```", ("a",)),
        ('~~~\n_DEFAULT_MODELS = {\n    "fast": "a",  # quick\n}\n~~~', ("a",)),
        ("Status: the defaults are `fast:a`.", ("a",)),
    ],
)
def test_a_default__is_read_in_each_of_its_forms(text: str, values: tuple[str, ...]) -> None:
    [(alias, found, _)] = defaults(text)
    assert (alias, found) == ("fast", values)
    assert read(text).not_read == ()


@pytest.mark.parametrize(
    ("text", "profiles"),
    [
        ("- **Runtime (now)**:\n  - `OPENAI_MODEL_FAST` → `a`\n- `OPENAI_MODEL_DEEP` → `a`", ["runtime", ""]),
        ("- **Design** – later\n  - `OPENAI_MODEL_FAST` → `a`\n\n## More\n- `OPENAI_MODEL_DEEP` → `a`", ["design", ""]),
        ("### 3.1 Design targets\n#### Chat\n- `OPENAI_MODEL_FAST` → `a`", ["design"]),
        (
            "**Runtime:**\n\n- `OPENAI_MODEL_FAST` → `a`\n\n**Design:**\n- `OPENAI_MODEL_FAST` → `b`",
            ["runtime", "design"],
        ),
    ],
)
def test_a_profile__is_told_by_the_label_or_heading_above(text: str, profiles: list[str]) -> None:
    assert [profile for *_, profile in defaults(text)] == profiles


def test_a_variable__is_for_the_alias_that_the_document_names() -> None:
    table = '```\n_ROLE_ENV_VARS = {"boss": "OPENAI_MODEL_MANAGER"}\n```\n'
    assert said(f"- `OPENAI_MODEL_MANAGER` – plans\n{table}")[0][1] == "boss"
    assert said("- `OPENAI_EMBEDDING_MODEL`")[0][1] == "embedding"
    both = f"{table}- Also: `manager` → `OPENAI_MODEL_MANAGER`.\n- `OPENAI_MODEL_MANAGER` → `a`"
    assert defaults(both) == [("manager", ("a",), "")]


def test_what_serves_instead__is_read_with_its_project() -> None:
    text = "- `fast` for all projects: `a` (override)\n- `fast` for `atlas`: `b` (project override)"
    found = [(each.what, each.alias, each.project, each.values) for each in read(text).statements]
    assert found == [("effective", "fast", None, ("a",)), ("effective", "fast", "atlas", ("b",))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- `OPENAI_MODEL_FAST` → a", "line 1: 'a' names no model: expected `model`"),
        ("\n- `OPENAI_MODEL_FAST` → `a b`", "line 2: 'a b' is no model id: expected one such as gpt-4.1"),
        ("- `OPENAI_MODEL_FAST` → `a` and `b`", "line 1: '`a` and `b`' names no model"),
        ("- `OPENAI_MODEL_FAST`: `a`", "line 1: ': `a`' stands where an arrow was expected: write → `model`."),
        ("- OPENAI_MODEL_FAST → `a`", "line 1: OPENAI_MODEL_FAST is set in no form that is read: write - `OPENAI_"),
        ("**`OPENAI_MODEL_FAST`** = `a`", "line 1: OPENAI_MODEL_FAST is set in no form that is read"),
        ("- `OPENAI_MODEL_fast` → `a`", "line 1: 'OPENAI_MODEL_fast' is no routing variable: expected OPENAI_MODEL_<"),
        ("- `OPENAI_MODEL_X` (alias `A b`)", "line 1: 'A b' is no name of an alias: expected lower-case letters"),
        ("- `OPENAI_MODEL_9` → `a`", "line 1: OPENAI_MODEL_9 is the variable of no alias by its name: name it"),
        ("| `OPENAI_MODEL_FAST` | `a` |", "line 1: Tables of Markdown are not read: write a line such as"),
        ("- **Staging**:\n  - `OPENAI_MODEL_FAST` → `a`", "line 2: It stands under 'Staging', which is no profile"),
        ("x\n```python\nA_ENV_VARS = {}", "line 2: The block of code that begins here has no end"),
        ('```\nENV_VARS = {\n"a": f(),\n}\n```', "line 3: 'f(),' is no part of ENV_VARS"),
        ('```\nENV_VARS = {\n"a": "OPENAI_MODEL_A"\n"b": "c"}\n```', "line 4: 'b' stands where a comma or the end"),
        ('```\nENV_VARS = {"a",}\n```', 'line 2: \'a\' begins no entry of ENV_VARS: expected "alias": "value".'),
        ('```\nENV_VARS = {\n"a": "OPENAI_MODEL_A",\n```', "line 2: ENV_VARS has no end: expected a closing brace."),
        ('```\nENV_VARS = {"a": "PATH"}\n```', "line 2: 'PATH' is no routing variable"),
        ('```\nDEFAULT_MODELS = {"A": "b"}\n```', "line 2: 'A' is no name of an alias"),
    ],
)
def test_a_line_that_breaks_its_form__is_refused_with_what_was_expected(text: str, told: str) -> None:
    [fault] = refused(text)
    assert fault.startswith(f"m.md, {told}")


def test_all_faults__are_told_at_once__in_the_order_of_lines() -> None:
    text = "- `OPENAI_MODEL_FAST` → a\n\n- `OPENAI_MODEL_DEEP` → b\n```\nENV_VARS = {1}\n```\n"
    assert [fault.split(":")[0] for fault in refused(text)] == ["m.md, line 1", "m.md, line 3", "m.md, line 5"]


@pytest.mark.parametrize(
    "text",
    [
        "Set `OPENAI_MODEL_FAST` before you start.",
        "- `OPENAI_MODEL_FAST` is the last rung.",
        "<!-- - `OPENAI_MODEL_FAST` → `b` -->",
        "<!--\n- `OPENAI_MODEL_FAST` → `b`\n-->",
        "```sh\nexport OPENAI_MODEL_FAST=b\n```",
        "```python\nx = os.environ['OPENAI_MODEL_FAST']\n```",
        "## Of OPENAI_MODEL_FAST",
        "## Defaults\n- Everything else → `b`",
        "- `OPENAI_MODEL_FAST` → `b`" + " " * 10_000 + "x",
    ],
)
def test_a_line_that_says_nothing_of_the_matrix__is_told_as_not_read(text: str) -> None:
    found = read(f"- `OPENAI_MODEL_DEEP` → `a`\n{text}")
    assert [each.values for each in found.statements] == [("OPENAI_MODEL_DEEP",), ("a",)]
    [line] = found.not_read
    assert line.line == 2 + next(at for at, each in enumerate(text.split("\n")) if "FAST" in each or "else" in each)


@pytest.mark.parametrize(
    "text", ["`auto` → `fast`", "See `docs/a.md` → `b`.", "- `OPENAI_API_KEY` – the key", "- **Do**"]
)
def test_what_is_not_about_the_matrix__is_left_alone(text: str) -> None:
    found = read(f"- `OPENAI_MODEL_DEEP` → `a`\n{text}")
    assert (len(found.statements), found.not_read) == (2, ())
