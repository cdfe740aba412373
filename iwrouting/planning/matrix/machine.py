"""A matrix in the two forms of machines: the YAML of `matrix_export`, and lines of an environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from iwrouting.conf.environment import MODEL_ID
from iwrouting.planning.bundles.faults import BundleRefused, instead
from iwrouting.planning.bundles.nodes import Mapped, Node, Sequence, Word, read_nodes
from iwrouting.planning.matrix.words import (
    MENTION,
    Form,
    MatrixFault,
    MatrixRefused,
    NotRead,
    Statement,
    Unreadable,
    What,
    Written,
    a_model,
    a_variable,
    an_alias,
    shown,
)
from iwrouting.types import Kind
from iwrouting.types.faults import ALL_PROJECTS_NAME

VERSION = "1"
OPENING = "matrix: 1"
SECTIONS = ("matrix", "aliases", "effective")
FIELDS = ("kind", "variable", "default", "design", "tier", "purpose")
SERVED_FIELDS = ("model", "source")
SERVED_NAME = re.compile(r"(?P<alias>\S+) for (?P<project>" + ALL_PROJECTS_NAME + r"|\S+)")
SETTING = re.compile(
    r"""\s*+(?:export\s++)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*+=\s*+"""
    r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^\s#"']*+))\s*+(?:(?<=\s)\#.*)?"""
)
"""Space is never given back: a line of it, between no value and something else, took minutes."""

A_BUNDLE = "This is a bundle of the configuration: config_plan compares it. A written matrix begins with `matrix: 1`."


def read_yaml(text: str) -> Written:
    """What a YAML matrix says. Raises MatrixRefused with every fault that can be told at once."""
    try:
        root = read_nodes(text, "", called="matrix", opening=OPENING)
    except BundleRefused as error:
        raise MatrixRefused(MatrixFault(fault.line, fault.message) for fault in error.faults) from None
    reader = _YamlReader()
    statements = tuple(reader.read(root))
    if reader.faults:
        raise MatrixRefused(reader.faults)
    return Written(Form.YAML, statements, ())


def read_env(text: str) -> Written:
    """What serves each variable by lines `OPENAI_MODEL_X=model`; other variables are left alone, and never shown."""
    statements: list[Statement] = []
    not_read: list[NotRead] = []
    faults: list[MatrixFault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            said = _setting(number, line.rstrip())
        except Unreadable as error:
            faults.append(MatrixFault(number, str(error)))
            continue
        if isinstance(said, Statement):
            statements.append(said)
        else:
            not_read.append(said)
    if faults:
        raise MatrixRefused(faults)
    return Written(Form.ENV, tuple(statements), tuple(not_read))


def _setting(number: int, line: str) -> Statement | NotRead:
    mentioned = MENTION.search(line.partition("=")[0])
    found = SETTING.fullmatch(line)
    if found is None:
        if mentioned:
            raise Unreadable(f"{mentioned[0]} has no value that can be read: expected {mentioned[0]}=model.")
        return NotRead(number, "No line NAME=value; its text is not shown.")
    name, value = found["name"], (found["double"] or found["single"] or found["plain"] or "").strip()
    if not mentioned:
        return NotRead(number, f"{name} is no routing variable.")
    if not value:
        return NotRead(number, f"{name} is blank, which counts as not set.")
    if not MODEL_ID.fullmatch(value):  # not shown: it may be a secret in the wrong place
        raise Unreadable(f"{name} has a value that is no model id: expected one such as {name}=gpt-4.1.")
    return Statement(number, What.EFFECTIVE, "", (value,), variable=a_variable(name))


class _YamlReader:
    """Walks the tree, and goes on after a fault."""

    def __init__(self) -> None:
        self.faults: list[MatrixFault] = []

    def read(self, root: Node) -> Iterator[Statement]:
        """Every statement of the document."""
        if not isinstance(root, Mapped) or "matrix" not in root.entries:
            is_bundle = isinstance(root, Mapped) and "version" in root.entries
            self._fault(root.line, A_BUNDLE if is_bundle else f"A written matrix begins with `{OPENING}`.")
            return
        version = root.entries["matrix"]
        if not (isinstance(version, Word) and version.text == VERSION):
            self._fault(root.lines["matrix"], f"This release reads version {VERSION} alone: expected `{OPENING}`.")
        self._known(root, SECTIONS, "section")
        for name, line, fields in self._objects(root, "aliases"):
            yield from self._alias(name, line, fields)
        for name, line, fields in self._objects(root, "effective"):
            yield from self._effective(name, line, fields)

    def _alias(self, name: str, line: int, fields: Mapped) -> Iterator[Statement]:
        self._known(fields, FIELDS, f"field of the alias {shown(name)}")
        said: list[tuple[int, What, str, list[str | None]]] = [
            (line, What.VARIABLE, "", [self._one(fields, "variable", a_variable) or ""]),
            (line, What.KIND, "", [self._one(fields, "kind", _a_kind)]),
            (line, What.DEFAULT, "runtime", self._models(fields, "default")),
            (line, What.DEFAULT, "design", self._models(fields, "design")),
        ]
        alias = self._checked(line, an_alias, name)
        for at, what, profile, values in said:
            given = tuple(value for value in values if value is not None)
            if alias is not None and given:
                field = profile.replace("runtime", "default") or what.value
                yield Statement(fields.lines.get(field, at), what, alias, given, profile, variable=_if(what, given))

    def _effective(self, name: str, line: int, fields: Mapped) -> Iterator[Statement]:
        self._known(fields, SERVED_FIELDS, f"field of {shown(name)}")
        found = SERVED_NAME.fullmatch(name)
        if found is None:
            self._fault(line, f"{shown(name)} names nobody: expected ALIAS for PROJECT, or for {ALL_PROJECTS_NAME}.")
            return
        alias = self._checked(line, an_alias, found["alias"])
        models = [model for model in self._models(fields, "model") if model is not None]
        if "model" not in fields.entries:
            self._fault(line, f"{shown(name)} has no model: expected `model: ...`.")
        if alias is not None and models:
            project = None if found["project"] == ALL_PROJECTS_NAME else found["project"]
            yield Statement(line, What.EFFECTIVE, alias, tuple(models), project=project)

    def _objects(self, root: Mapped, section: str) -> Iterator[tuple[str, int, Mapped]]:
        node = root.entries.get(section, Mapped(root.line, {}, {}))
        if not isinstance(node, Mapped):
            self._fault(root.lines[section], f"{section} must hold names with their fields; write {{}} for none.")
            return
        for name, fields in node.entries.items():
            if isinstance(fields, Mapped):
                yield name, node.lines[name], fields
            else:
                self._fault(node.lines[name], f"{shown(name)} must hold fields, such as `default: gpt-4.1`.")

    def _known(self, node: Mapped, known: tuple[str, ...], word: str) -> None:
        for name in node.entries:
            if name not in known:
                self._fault(node.lines[name], f"{shown(name)} is no {word}. {instead(name, known)}")

    def _one(self, fields: Mapped, name: str, check: Callable[[str], str]) -> str | None:
        node = fields.entries.get(name)
        if node is None:
            return None
        if isinstance(node, Word):
            return self._checked(node.line, check, node.text)
        self._fault(node.line, f"{name} must be one text.")
        return None

    def _models(self, fields: Mapped, name: str) -> list[str | None]:
        node = fields.entries.get(name)
        if node is None:
            return []
        items = node.items if isinstance(node, Sequence) else (node,)
        words = [item for item in items if isinstance(item, Word)]
        if len(words) < len(items) or not words:
            self._fault(node.line, f"{name} must be a model, or a list of models of which any will do.")
        return [self._checked(word.line, a_model, word.text) for word in words]

    def _checked(self, line: int, check: Callable[[str], str], text: str) -> str | None:
        try:
            return check(text)
        except Unreadable as error:
            self._fault(line, str(error))
            return None

    def _fault(self, line: int, message: str) -> None:
        self.faults.append(MatrixFault(line, message))


def _a_kind(text: str) -> str:
    if text in [kind.value for kind in Kind]:
        return text
    raise Unreadable(f"{shown(text)} is no kind: expected one of {', '.join(kind.value for kind in Kind)}.")


def _if(what: What, values: tuple[str, ...]) -> str:
    return values[0] if what is What.VARIABLE else ""
