"""The walk of docs/configuration.md: every command in it, in its order, on what `make demo` leaves."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwrouting.management.demo import cast
from iwrouting.management.first_start import prepare_database
from iwrouting.models import Alias, Change, Override, Project, Revision
from iwrouting.snapshot import disk, load
from tests.commands.running import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODES = re.compile(r"# exit codes? ([0-9]+(?: or [0-9]+)*)$")


def commands() -> Iterator[tuple[str, set[int]]]:
    """The lines of the page's blocks, with the exit codes that it names."""
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            found = CODES.search(line)
            codes = {int(code) for code in found[1].split(" or ")} if found else {0}
            yield CODES.sub("", line).strip(), codes


def take(line: str, number: int) -> int:
    """Run one line of the page; its exit code. The demo's first override is number 1 in a fresh database alone."""
    program, *arguments = shlex.split(line.replace(" disable 1 ", f" disable {number} "))
    if program != "manage.py":
        assert program == "sed"
        return subprocess.run([program, *arguments], check=False).returncode
    return run(arguments[0], *arguments[1:]).code


@pytest.fixture
def demo(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `make demo` leaves but for its calls, and the configuration that its service kept on disk."""
    monkeypatch.chdir(tmp_path)
    prepare_database()
    cast.retire(cast.prepare())
    disk.write(load(), disk.now_utc())


@pytest.mark.usefixtures("demo", "strict_changes")
def test_each_command_of_the_walk__ends_as_the_page_says() -> None:
    assert Revision.current() == 3
    lines = list(commands())
    assert len(lines) > 20
    number = Override.objects.values_list("pk", flat=True).order_by("pk")[0]
    for line, codes in lines:
        assert take(line, number) in codes, line
    assert Override.objects.get(project__slug="demo-atlas", alias__name="manager").model == "gpt-4.1"
    assert Project.objects.get(slug="demo-atlas").owner == "Grace"
    assert Alias.objects.get(name="deep").default_model == "gpt-5.1"
    assert list(Change.objects.filter(revision__gt=3).order_by("revision").values_list("revision", "kind")) == [
        (4, "configuration"),
        (5, "configuration"),
        (6, "adoption"),
        (7, "configuration"),
    ]
