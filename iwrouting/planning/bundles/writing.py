"""A configuration as a bundle: the same bytes for the same configuration, in lines that read well in a git diff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from iwrouting.models.contents import Content, name_of
from iwrouting.planning.bundles.fields import SECTIONS, Number, spoken

VERSION = 1
HEADER = """\
# The configuration of iwrouting, made by `manage.py config_export`; docs/gitops.md says how it is applied.
# A field that is left out is as it is by default. Prices are dollars per 1M tokens, times are UTC.
# API keys and secrets are in no bundle.
"""


class _Dumper(yaml.SafeDumper):
    """Mappings as blocks, lists of names in one line, nothing folded, no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # Left to itself it writes some line ends of Unicode as they are, and reads them back as blanks.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


def _names(dumper: yaml.SafeDumper, names: list[str]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", names, flow_style=True)


def _number(dumper: yaml.SafeDumper, number: Number) -> yaml.Node:
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in number else 'int'}", str(number))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _names)
_Dumper.add_representer(Number, _number)


def write_bundle(contents: Mapping[str, Mapping[int, Content]]) -> str:
    """The bundle of a whole configuration. Objects stand in the order of their names, fields in that of the docs."""
    document: dict[str, Any] = {"version": VERSION}
    for section, word in SECTIONS.items():
        rows = {name_of(word, content): content for content in contents[word].values()}
        document[section] = {name: dict(spoken(word, rows[name])) for name in sorted(rows)}
    return HEADER + as_yaml(document)


def as_yaml(document: Mapping[str, Any]) -> str:
    """Plain texts, lists and mappings as the house writes them, in the order given."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
