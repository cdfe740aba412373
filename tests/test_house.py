"""The house's rules hold everywhere, and each breach would be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import house

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("iwrouting", "config", "manage.py")
EVERYTHING = (*PRODUCT, "tests", "benchmarks", "scripts", "Makefile", "pyproject.toml")
TEXT = {".py", ".sh", ".toml", ".html", ".css", ".sql", ""}
Rule = Callable[[str, str], Iterator[str]]


def files(tops: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name and text of every source file under these, but generated migrations."""
    for top in tops:
        path = ROOT / top
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file() and each.suffix in TEXT and not {"migrations", "__pycache__"} & set(each.parts):
                yield str(each.relative_to(ROOT)), each.read_text(encoding="utf-8")


def faults(rule: Rule, tops: tuple[str, ...]) -> list[str]:
    return [fault for name, text in files(tops) if name.endswith(".py") for fault in rule(name, text)]


def test_files_and_functions_are_short() -> None:
    assert faults(house.size_faults, PRODUCT) == []


def test_no_work_is_left_over() -> None:
    found = [fault for name, text in files(EVERYTHING) for fault in house.left_overs(name, text)]
    rules = ("tests/harness/house.py", "tests/test_house.py")
    assert [fault for fault in found if not fault.startswith(rules)] == []


def test_no_type_error_is_silenced_without_its_code() -> None:
    assert faults(house.bare_ignores, (*PRODUCT, "tests", "benchmarks")) == []


def is_public(name: str) -> bool:
    return not any(part.startswith("_") and part != "__init__.py" for part in Path(name).parts)


def test_every_public_module_says_what_it_is() -> None:
    public = [(name, text) for name, text in files(PRODUCT) if name.endswith(".py") and is_public(name)]
    assert len(public) > 10
    assert [fault for name, text in public for fault in house.docstring_faults(name, text)] == []


def test_requirements_are_pinned_by_hash_and_name_no_address() -> None:
    run, faults_run = house.pins("requirements.txt", (ROOT / "requirements.txt").read_text())
    dev, faults_dev = house.pins("requirements-dev.txt", (ROOT / "requirements-dev.txt").read_text())
    assert faults_run + faults_dev == []
    assert "django" in run
    assert run.items() <= dev.items()


@pytest.mark.parametrize(
    ("rule", "text", "fault"),
    [
        (house.size_faults, "\n" * 301, "f.py: 301 lines, more than 300: split it"),
        (house.size_faults, "async def f():\n" + "    1\n" * 60, "f.py:1: f has 61 lines, more than 60"),
        (house.left_overs, "a = 1\n# FIXME later", "f.py:2: FIXME: do it, or file it"),
        (house.left_overs, '"""TODO: more."""', "f.py:1: TODO: do it, or file it"),
        (house.bare_ignores, "a: int = b  # type: ignore", "f.py:1: # type: ignore: name the code in brackets"),
        (house.bare_ignores, "a = b  #type:ignore", "f.py:1: #type:ignore: name the code in brackets"),
        (house.docstring_faults, "# words\na = 1", "f.py: has no docstring"),
    ],
)
def test_a_breach_is_reported(rule: Rule, text: str, fault: str) -> None:
    assert list(rule("f.py", text)) == [fault]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (house.size_faults, "\n" * 300),
        (house.size_faults, "def f():\n" + "    1\n" * 59),
        (house.left_overs, "todo = TODOS = 'XXXL'"),
        (house.bare_ignores, "a = b  # type: ignore[arg-type]\nc = '# type: ignore'"),
        (house.docstring_faults, ""),
        (house.docstring_faults, '"""Words."""'),
    ],
)
def test_what_the_rules_allow_passes(rule: Rule, text: str) -> None:
    assert list(rule("f.py", text)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "--find-links /wheels",
        "-e .",
        "./wheels/django.whl",
        "django @ file:///wheels/django.whl",
        "django==5.2.19",
        "django>=5.2 --hash=sha256:00",
    ],
)
def test_a_loose_requirement_is_reported(line: str) -> None:
    assert house.pins("r.txt", line)[1] != []


def test_a_hashed_pin_passes() -> None:
    text = "# words\ndjango==5.2.19 ; python_version > '3' \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
    assert house.pins("r.txt", text) == ({"django": "5.2.19"}, [])
