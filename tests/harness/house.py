"""The rules of the house that a machine can see: sizes, left-overs, docstrings, pins."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

LONGEST_FILE = 300
LONGEST_FUNCTION = 60
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX)\b")
BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|^\s*(?:-i|-f|-e)\b|^[./]|@\s*file")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


def size_faults(name: str, text: str) -> Iterator[str]:
    """A file or a function that is too long, in lines."""
    lines = len(text.splitlines())
    if lines > LONGEST_FILE:
        yield f"{name}: {lines} lines, more than {LONGEST_FILE}: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines, more than {LONGEST_FUNCTION}"


def left_overs(name: str, text: str) -> Iterator[str]:
    """Marks of unfinished work, anywhere in the text."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := LEFT_OVER.search(line):
            yield f"{name}:{number}: {found[1]}: do it, or file it"


def bare_ignores(name: str, text: str) -> Iterator[str]:
    """Comments that silence the type checker without naming what."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and BARE_IGNORE.search(token.string):
            yield f"{name}:{token.start[0]}: {token.string}: name the code in brackets"


def docstring_faults(name: str, text: str) -> Iterator[str]:
    """A module that says nothing about itself; an empty one needs not."""
    if text.strip() and not ast.get_docstring(ast.parse(text)):
        yield f"{name}: has no docstring"


def pins(name: str, text: str) -> tuple[dict[str, str], list[str]]:
    """The versions that a requirements file pins, and its faults: an address, or a pin without hashes."""
    versions, faults = (
        {},
        [f"{name}:{n}: {line}" for n, line in enumerate(text.splitlines(), 1) if ADDRESS.search(line)],
    )
    for entry in text.replace("\\\n", " ").splitlines():
        if found := PIN.match(entry):
            versions[found[1]] = found[2]
        if entry.strip() and not entry.lstrip().startswith("#") and not (found and "--hash=sha256:" in entry):
            faults.append(f"{name}: not pinned by a hash: {entry.split(' ')[0]}")
    return versions, faults
