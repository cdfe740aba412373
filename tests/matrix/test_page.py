"""docs/matrix.md, the README's second page: what it prints is what the commands say, and what it shows is read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command, load_command_class

from iwrouting.planning.matrix import Form, read_matrix
from iwrouting.planning.matrix.differences import Code
from tests.commands.running import run
from tests.planning.cast import by_ann

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLE, HOOK, PIPELINE = (text for language, text in BLOCKS if language == "yaml")
SHOWN = re.compile(r"<!-- begin: (\w+) -->\n```sh\n(.*?)\n```\n\n```text\n(.*?)```\n<!-- end: \1 -->", re.DOTALL)
FORMS = re.findall(r"^\| `` ?(.+?) ?``", PAGE.partition("**Markdown.**")[2], re.MULTILINE)


@pytest.fixture
def fresh(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh installation: the tables, and the built-in matrix in them."""
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {})
    monkeypatch.chdir(ROOT)
    with by_ann():
        call_command("matrix_load")


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)[1:]


def entry() -> list[str]:
    """The words of the hook's command from its name on."""
    line = shlex.split(yaml.safe_load(HOOK)["repos"][0]["hooks"][0]["entry"])
    return line[line.index("../iwrouting/manage.py") + 1 :]


def commands() -> Iterator[list[str]]:
    yield from (words(line) for language, text in BLOCKS if language == "sh" for line in text.splitlines())
    for job in yaml.safe_load(PIPELINE)["jobs"].values():
        yield from (words(step["run"]) for step in job["steps"] if "run" in step)
    yield [*entry(), "docs/MODEL_MATRIX.md"]


@pytest.mark.usefixtures("fresh")
def test_what_the_page_prints__is_what_a_fresh_installation_says() -> None:
    shown = {name: (line, text) for name, line, text in SHOWN.findall(PAGE)}
    assert set(shown) == {"runtime", "design"}
    for name, code in (("runtime", 0), ("design", 3)):
        line, text = shown[name]
        command, *arguments = words(line)
        done = run(command, *arguments, "--format", "table")
        assert (
            done.code,
            done.out + done.err.replace("owner.md (", "Findings: owner.md (" if code else "owner.md ("),
        ) == (
            code,
            text.removesuffix("\n") if code else text,
        )


@pytest.mark.usefixtures("fresh", "strict_changes")
def test_after_the_design_is_loaded__the_page_is_right_about_the_lines() -> None:
    call_command("matrix_load", profile="design", reason="Agreed", acknowledge=["all"], yes=True)
    assert run("routing_check", "tests/matrix/owner.md", "--profile", "design").code == 0
    found: dict[str, Any] = run("routing_check", "tests/matrix/owner.md", "--format", "json").json
    assert sorted({line for row in found["drift"] for line in row["lines"]}) == [3, 77, 78, 82]


@pytest.mark.usefixtures("fresh")
def test_the_hook__passes_what_is_the_same__and_fails_what_is_not(tmp_path: Path) -> None:
    command, *arguments = entry()
    assert run(command, *arguments, "tests/matrix/owner.md").code == 0
    edited = tmp_path / "edited.md"
    edited.write_text((ROOT / "tests/matrix/owner.md").read_text(encoding="utf-8").replace("gpt-5-mini", "gpt-5"))
    assert run(command, *arguments, str(edited)).code == 3


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_each_command_of_the_page__takes_its_options(arguments: list[str]) -> None:
    """An option or argument that is not there raises CommandError."""
    name, *rest = arguments
    load_command_class("iwrouting", name).create_parser("manage.py", name).parse_args(rest)


def test_each_code__stands_in_the_page_once() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE.partition("## What is compared")[2], re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"\w+", row)) == sorted(Code)


def test_each_form_of_the_page__is_read() -> None:
    assert len(FORMS) == 8
    for form in FORMS:
        found = read_matrix(f"## Defaults\n- `OPENAI_MODEL_DEEP`\n{form}".encode(), Form.MARKDOWN)
        assert len(found.statements) > 1, form


def test_the_yaml_of_the_page__is_a_matrix() -> None:
    said = read_matrix(EXAMPLE.encode()).statements
    assert [each.values for each in said if each.alias == "worker_test"][-1] == ("gpt-4.1-mini", "gpt-5-mini")


def test_the_readme__has_it_as_its_second_page__with_command_and_result() -> None:
    part = README.partition("## The owner's document, checked")[2].partition("\n## ")[0]
    assert "[docs/matrix.md](docs/matrix.md)" in part
    line, text = next((line, text) for name, line, text in SHOWN.findall(PAGE) if name == "runtime")
    assert line in part
    assert text.splitlines()[-1] in part
