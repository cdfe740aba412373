"""docs/api.md against the code: its routes, headers, codes and examples."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from iwrouting import errors
from iwrouting.api.authority import AUTHORITY
from iwrouting.api.schema.generator import openapi
from iwrouting.errors import RoutingError
from iwrouting.upstream import pace

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
MANAGING = (ROOT / "docs/configuration-api.md").read_text(encoding="utf-8")
SPEAKING = ("api", "calls", "dispatch", "audit", "resolver", "snapshot", "upstream", "conf", "server")
"""The rooms whose errors a caller can get."""
STREAM = "stream_"


def table(after: str) -> list[list[str]]:
    """The rows of the first table after a heading or sentence, without marks."""
    lines = PAGE.split(f"\n{after}", 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    return rows


def trees() -> Iterator[tuple[str, ast.Module]]:
    """The syntax trees of those rooms, by file."""
    for room in SPEAKING:
        for path in (ROOT / "iwrouting" / room).rglob("*.py") if (ROOT / "iwrouting" / room).is_dir() else ():
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def literals(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def raised_codes() -> set[str]:
    """Every code that an error of ours is made with, and those of the classes themselves."""
    found = {code for each in classes() if (code := each.code)}
    for _, tree in trees():
        for name, call in calls(tree):
            values = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            values += call.args[:1] if name == "_conflict" else []
            values += call.args[1:2] if name == "refused_field" else []
            found |= {str(value.value) for value in values if isinstance(value, ast.Constant) and value.value}
    return found


def classes(of: type[RoutingError] = RoutingError) -> Iterator[type[RoutingError]]:
    for each in of.__subclasses__():
        yield each
        yield from classes(each)


def stream_codes() -> set[str]:
    """What a stream that began can end with, by the places that say so."""
    places = {
        "dispatch/streamed.py": "OpenStream",
        "upstream/responses.py": "ResponsesScanner",
        "upstream/translate/reverse/scanner.py": "ReverseScanner",
        "upstream/translate/scanner.py": "TranslatingScanner",
        "upstream/translate/stream.py": "ResponsesStream",
    }
    found = {"connection_reset", "in_band_error", pace.STALLED, pace.TOO_SLOW, pace.TOO_LONG}
    for path, relay in places.items():
        tree = ast.parse((ROOT / "iwrouting" / path).read_text(encoding="utf-8"))
        [node] = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef) and each.name == relay]
        given = {call.args[0] for name, call in calls(node) if name == "bad_answer"}
        found |= {str(value.value) for value in given if isinstance(value, ast.Constant)}
    return {f"{STREAM}{code}" for code in found}


def test_the_routes_are_those_of_the_authority_table() -> None:
    told = {(name, method): needed for name, method, _, needed in table("## Routes")}
    assert told == {(name, method): needed for name, row in AUTHORITY.items() for method, needed in row.items()}


def test_the_paths_are_those_of_the_openapi_document() -> None:
    own = {"/", "/admin/", "/api/schema", "/api/docs"}
    told = {(method.lower(), path) for _, method, path, _ in table("## Routes") if path not in own}
    assert told == {(method, path) for path, each in openapi()["paths"].items() for method in each}


def test_every_route_of_the_document_has_its_part() -> None:
    parts = set(re.findall(r"^### ([A-Z]+ /\S+)$", PAGE, re.MULTILINE))
    shown = {f"{command.method} {command.template}" for command in managing()}
    assert parts | shown == {f"{method.upper()} {path}" for path, each in openapi()["paths"].items() for method in each}


def test_every_header_of_ours_stands_in_the_tables() -> None:
    told = {row[0] for heading in ("### Of requests", "### Of answers") for row in table(heading)}
    described = {
        header for _, tree in trees() for text in literals(tree) for header in re.findall(r"x-iw-[a-z-]+", text)
    }
    others = set(openapi()["components"]["headers"])
    assert {name for name in told if name.startswith("x-iw-")} == described
    assert others <= told


def test_the_codes_are_those_of_the_code() -> None:
    told = {row[0] for row in table("### Codes")}
    assert told == raised_codes()


def test_a_code_of_a_class_has_its_status() -> None:
    told = {row[0]: row[1] for row in table("### Codes")}
    for each in classes():
        assert str(each.status) in told[str(each.code)], each
    assert {each.__name__ for each in classes()} == {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and name != "RoutingError" and name[0] != "_" and issubclass(value, RoutingError)
    }


def test_every_code_has_cause_and_remedy() -> None:
    for code, status, cause, remedy in table("### Codes"):
        assert re.fullmatch(r"[a-z_]+", code)
        assert re.match(r"\d{3}|-", status), code
        assert min(len(cause), len(remedy)) >= len("send one"), code


def test_the_codes_of_broken_streams_are_those_of_the_code() -> None:
    assert {row[0] for row in table("A stream that fails")} == stream_codes()


def parts() -> list[tuple[str, str]]:
    """The parts of the page that describe one operation: heading, text."""
    found = re.split(r"^### ([A-Z]+ /\S+)$", PAGE.split("\n## Headers")[0], flags=re.MULTILINE)
    return list(zip(found[1::2], found[2::2], strict=True))


@dataclass(frozen=True)
class Command:
    """A command of docs/configuration-api.md: what it sends, and the document's path that it is about."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def template(self) -> str:
        """The document's path; empty where it has none."""
        address = self.path.partition("?")[0]
        found = [
            (path.count("{"), path)
            for path, each in openapi()["paths"].items()
            if self.method.lower() in each and re.fullmatch(re.sub(r"\{\w+\}", "[^?]+", path), address)
        ]
        exact = sorted(each for each in found if each[1].count("/") == address.count("/")) or sorted(found)
        return exact[0][1] if exact else ""


def managing() -> list[Command]:
    """The commands of that page, in their order."""
    text = "".join(re.findall(r"```sh\n(.*?)```", MANAGING, re.DOTALL)).replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        words = shlex.split(line)
        if not words or words[0] != "iw":
            continue
        pairs = list(pairwise(words))
        headers = dict(after.split(": ", 1) for word, after in pairs if word == "-H")
        body = next((json.loads(after) for word, after in pairs if word == "-d"), None)
        method = next((after for word, after in pairs if word == "-X"), "GET")
        found.append(Command(method, f"/api/v1/{words[1]}", headers, body))
    return found


def test_the_commands_that_manage_send_the_examples_of_the_document() -> None:
    bodies = [command for command in managing() if command.body is not None]
    assert bodies
    for command in bodies:
        operation = openapi()["paths"][command.template][command.method.lower()]
        content = operation["requestBody"]["content"]["application/json"]
        assert command.body in [example["value"] for example in content["examples"].values()]


def test_what_the_managing_page_shows_is_in_the_document() -> None:
    known = [
        example["value"]
        for each in openapi()["paths"].values()
        for operation in each.values()
        for response in operation["responses"].values()
        for example in response.get("content", {}).get("application/json", {}).get("examples", {}).values()
    ]
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", MANAGING, re.DOTALL)]
    assert len(shown) > 10
    assert [each for each in shown if each not in known] == []


@pytest.mark.parametrize(("heading", "text"), parts(), ids=[heading for heading, _ in parts()])
def test_the_examples_are_those_of_the_openapi_document(heading: str, text: str) -> None:
    method, _, path = heading.partition(" ")
    operation: dict[str, Any] = openapi()["paths"][path][method.lower()]
    kind, fence = ("text/plain", "text") if path == "/metrics" else ("application/json", "json")
    contents = [each.get("content", {}).get(kind, {}) for each in operation["responses"].values()]
    known = [example["value"] for content in contents for example in content.get("examples", {}).values()]
    [shown] = re.findall(rf"```{fence}\n(.*?)```", text, re.DOTALL)
    assert (shown if fence == "text" else json.loads(shown)) in known
    [command] = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    sent = re.search(r"-d '(.*)'", command)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if body:
        assert sent is not None
        assert json.loads(sent[1]) in [example["value"] for example in body["examples"].values()]
    else:
        assert sent is None
