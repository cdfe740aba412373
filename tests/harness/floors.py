"""The floors of the house (ARCHITECTURE.md): which room may import which, checked on the syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PACKAGE = "iwrouting"

WORDS = frozenset({"types", "errors"})
TOLD = frozenset({"conf", "catalogue"})
KNOWS = frozenset({"snapshot", "resolver", "autoroute", "upstream", "tokens", "pricing", "meters"})
ACTS = frozenset({"dispatch", "audit", "reports", "planning"})
DOORS = frozenset({"api", "admin", "management", "server", "apps"})
CLIENT = frozenset({"client", "_client"})
BELOW_KNOWS = WORDS | TOLD | {"models"}
BELOW_DOORS = BELOW_KNOWS | KNOWS | ACTS | {"calls", "alerts"}

# Every room, and the rooms that it may import besides itself.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(WORDS, WORDS),
    **dict.fromkeys(TOLD, WORDS),
    "models": WORDS | {"conf"},
    **dict.fromkeys(KNOWS, BELOW_KNOWS),
    **dict.fromkeys(ACTS, BELOW_KNOWS | KNOWS),
    "calls": BELOW_KNOWS | KNOWS | ACTS,
    "alerts": BELOW_KNOWS | KNOWS | ACTS,
    **dict.fromkeys(DOORS, BELOW_DOORS | DOORS),
    **dict.fromkeys(CLIENT, CLIENT | {"types", "catalogue"}),
    "sandbox": frozenset({"types", "catalogue"}),
}

STANDARD_LIBRARY_ONLY = WORDS | {"catalogue"}
WITHOUT_DJANGO = STANDARD_LIBRARY_ONLY | CLIENT | {"resolver", "autoroute", "pricing", "sandbox"}
DJANGO = frozenset({"django", "rest_framework", "drf_spectacular", "axes"})
CLIENT_NEEDS = frozenset({"openai", "httpx2"})  # the second comes with the first

# (room, top package imported inside a function): why. "*" stands for any room.
LAZY = {
    ("apps", PACKAGE): "Django calls ready() once the models are there; before that they can't be imported",
    ("*", "openai"): "0.8 s and 43 MB, which no command that makes no call should pay",
    ("management", "genai_prices"): "30 MB and a moment, needed only where prices are synced",
}


@dataclass(frozen=True, order=True)
class Import:
    """One import: who imports what, where, and whether inside a function."""

    module: str
    line: int
    target: str
    lazy: bool

    @property
    def top(self) -> str:
        """The outermost package of the target."""
        return self.target.partition(".")[0]


def room_of(module: str) -> str:
    """The room of a module of the package; empty for the package's own __init__."""
    return [*module.split("."), ""][1]


def violations(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """Every breach of the floors in {module name: source text}, one line each.

    packages: which of the modules are a package's __init__, needed for relative imports.
    """
    imports = [each for name, text in sources.items() for each in imports_of(name, text, name in packages)]
    faults = [f"{name}: {room_of(name)!r} is no known room" for name in sources if _unknown(name)]
    faults += [f"{each.module}:{each.line}: {fault}" for each in sorted(imports) for fault in _faults(each)]
    return faults + _django_reached(imports, sources) + _cycles(imports)


def imports_of(module: str, text: str, is_package: bool = False) -> Iterator[Import]:
    """Every import statement of a module, and every import_module and __import__ call as a target of that name."""
    tree = ast.parse(text)
    inside = {id(node) for function in ast.walk(tree) if _is_function(function) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for target in _targets(node, module if is_package else module.rpartition(".")[0]):
            yield Import(module, getattr(node, "lineno", 0), target, id(node) in inside)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _targets(node: ast.AST, parent: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, parent)
        return [f"{base}.{alias.name}" for alias in node.names] if base == PACKAGE else [base]
    if isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
        return [f"{_called(node)}()"]
    return []


def _absolute(node: ast.ImportFrom, parent: str) -> str:
    if not node.level:
        return node.module or ""
    parts = parent.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _unknown(module: str) -> bool:
    return module != PACKAGE and room_of(module) not in MAY_IMPORT


def _faults(each: Import) -> Iterator[str]:
    room = room_of(each.module)
    if each.target.endswith("()"):
        yield f"{each.target} hides an import: write it as a statement"
        return
    if each.lazy and not {(room, each.top), ("*", each.top)} & LAZY.keys():
        yield f"{each.target} is imported inside a function: move it to the top, or argue it in LAZY"
    if each.top == PACKAGE:
        yield from _inner_faults(room, each.target)
    else:
        yield from _outer_faults(room, each.top)


def _inner_faults(room: str, target: str) -> Iterator[str]:
    other = room_of(target)
    if other in ("", "__version__") or other == room:
        return
    if other not in MAY_IMPORT.get(room, frozenset()):
        yield f"{room} may not import {other}"


def _outer_faults(room: str, top: str) -> Iterator[str]:
    if top in ("config", "tests", "benchmarks"):
        yield f"{room} may not import {top}, which stands outside the package"
    elif top in sys.stdlib_module_names:
        return
    elif room in STANDARD_LIBRARY_ONLY:
        yield f"{room} may import the standard library only, not {top}"
    elif room in CLIENT and top not in CLIENT_NEEDS:
        yield f"{room} may need only {', '.join(sorted(CLIENT_NEEDS))}, not {top}"


def _django_reached(imports: list[Import], sources: Mapping[str, str]) -> list[str]:
    """For each module that must do without Django: the path by which it reaches Django all the same."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        edges.setdefault(each.module, set()).update(_loaded(each.target, sources))
    guarded = [name for name in sources if room_of(name) in WITHOUT_DJANGO]
    paths = ((name, _path_to(DJANGO, name, edges)) for name in guarded)
    return [f"{name}: must do without Django, but imports {' -> '.join(path)}" for name, path in paths if path]


def _loaded(target: str, sources: Mapping[str, str]) -> set[str]:
    """What an import loads: the module, and every package above it."""
    if target.partition(".")[0] != PACKAGE:
        return {target.partition(".")[0]}
    parts = target.split(".")
    names = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return {name for name in names if name in sources}


def _path_to(goals: frozenset[str], start: str, edges: Mapping[str, set[str]]) -> list[str]:
    paths = [[start]]
    seen = {start}
    for path in paths:
        following = sorted(edges.get(path[-1], set()))
        goal = next((each for each in following if each in goals), None)
        if goal:
            return [*path[1:], goal]
        paths += [[*path, each] for each in following if each not in seen]
        seen.update(following)
    return []


def _cycles(imports: list[Import]) -> list[str]:
    """Doors may use each other, but not in a ring; the other floors can't form one."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        if each.top == PACKAGE and room_of(each.target) != room_of(each.module):
            edges.setdefault(room_of(each.module), set()).add(room_of(each.target))
    rings = ((room, _path_to(frozenset({room}), room, edges)) for room in sorted(DOORS & edges.keys()))
    return [f"{room}: a ring of rooms: {' -> '.join([room, *path])}" for room, path in rings if path]
