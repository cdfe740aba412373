"""A bundle as contents: every field named, checked by itself, and filled with its default where it is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iwrouting.models.contents import Content, name_of
from iwrouting.planning.bundles.faults import BundleFault, BundleRefused, instead
from iwrouting.planning.bundles.fields import SECTION_OF, SECTIONS, fields_of, is_required, name_parts, value_of
from iwrouting.planning.bundles.nodes import Mapped, Node, Word, read_nodes
from iwrouting.planning.bundles.writing import VERSION

NO_KEYS = "API keys are in no bundle, and stay as they are: remove this section."


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says: of each section that it has, the contents of all objects by their names.

    `lines` is where an object begins, by its kind and name.
    """

    file: str
    sections: Mapping[str, Mapping[str, Content]]
    lines: Mapping[tuple[str, str], int]

    def fault(self, object_type: str, name: str, message: str) -> BundleFault:
        """A fault at an object; where the bundle does not hold it, at the top."""
        line = self.lines.get((object_type, name), 1)
        return BundleFault(self.file, line, message, SECTION_OF.get(object_type, object_type), name)

    def placed(self, told: str) -> str:
        """A fault of a plan, in words that name its row, with the line at which that row stands here."""
        for (word, name), line in self.lines.items():
            if told.startswith((f"{word} {name}: ", f"The {word} {name} names ")):
                return f"{self.file}, line {line}, {told}"
        return told


def read_bundle(data: bytes | str, file: str = "bundle") -> Bundle:
    """Read a bundle; `file` is what faults call it. Raises BundleRefused with every fault that it can tell at once.

    References are not followed here: what they name may stand in the database.
    """
    reader = _Reader(file)
    bundle = reader.read(read_nodes(data, file))
    if reader.faults:
        raise BundleRefused(sorted(reader.faults, key=lambda fault: fault.line))
    return bundle


class _Reader:
    """Walks the tree, and goes on after a fault."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[BundleFault] = []
        self.lines: dict[tuple[str, str], int] = {}

    def read(self, root: Node) -> Bundle:
        if not isinstance(root, Mapped):
            raise BundleRefused([BundleFault(self.file, root.line, "A bundle begins with `version: 1`.")])
        self._version(root)
        sections = {}
        for section, node in root.entries.items():
            if section == "version":
                continue
            if section not in SECTIONS:
                known = NO_KEYS if section == "keys" else f"There is no such section. {instead(section, SECTIONS)}"
                self._add(root.lines[section], known, section)
            elif isinstance(node, Mapped):
                sections[SECTIONS[section]] = self._section(section, node)
            else:
                text = "It must hold objects by their names: write {} where none are meant, or leave the section out."
                self._add(root.lines[section], text, section)
        return Bundle(self.file, sections, self.lines)

    def _version(self, root: Mapped) -> None:
        node = root.entries.get("version")
        if node is None:
            self._add(root.line, f"It does not say which form it has: begin it with `version: {VERSION}`.")
        elif not (isinstance(node, Word) and node.text == str(VERSION)):
            self._add(node.line, f"This release reads version {VERSION} alone.", field="version")

    def _section(self, section: str, node: Mapped) -> dict[str, Content]:
        found: dict[str, Content] = {}
        word = SECTIONS[section]
        for given, entry in node.entries.items():
            line = node.lines[given]
            content = self._object(section, given, line, entry)
            if content is None:
                continue
            name = name_of(word, content)
            if name in found:
                self._add(line, f"It stands here twice, first in line {self.lines[word, name]}.", section, name)
            found[name], self.lines[word, name] = content, line
        return found

    def _object(self, section: str, name: str, line: int, node: Node) -> Content | None:
        if isinstance(node, Word) and node.is_null:
            node = Mapped(line, {}, {})
        if not isinstance(node, Mapped):
            self._add(line, "It must hold fields, such as `enabled: true`.", section, name)
            return None
        before = len(self.faults)
        content = {**self._parts(section, name, line), **self._fields(section, name, line, node)}
        return content if len(self.faults) == before else None

    def _parts(self, section: str, name: str, line: int) -> Content:
        try:
            return name_parts(SECTIONS[section], name)
        except ValueError as error:
            self._add(line, str(error), section, name)
            return {}

    def _fields(self, section: str, name: str, line: int, node: Mapped) -> Content:
        fields = fields_of(SECTIONS[section])
        for unknown in (given for given in node.entries if given not in fields):
            self._add(
                node.lines[unknown], f"There is no such field. {instead(unknown, fields)}", section, name, unknown
            )
        content = {}
        for field_name, field in fields.items():
            given = node.entries.get(field_name)
            if given is None and is_required(field):
                self._add(line, "It is missing: an object of this section has to say it.", section, name, field_name)
            try:
                content[field.name] = field.get_default() if given is None else value_of(field, given)
            except ValueError as error:
                at = node.lines[field_name]
                self._add(at, str(error), section, name, field_name)
        return content

    def _add(self, line: int, message: str, section: str = "", name: str = "", field: str = "") -> None:
        self.faults.append(BundleFault(self.file, line, message, section, name, field))
