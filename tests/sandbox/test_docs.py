"""The page on the sandbox names every member and every preset that there is."""

from __future__ import annotations

import re

from iwrouting.sandbox.faults import CHECKS
from iwrouting.sandbox.plan import RULE
from iwrouting.sandbox.presets import PRESETS
from tests.sandbox.process import ROOT
from tests.sandbox.test_log import MEMBERS

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")


def named(section: str) -> set[str]:
    """The words in backticks at the start of the table rows of a section, or in its line of presets."""
    text = PAGE.partition(section)[2].partition("\n#")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


def test_every_member_of_a_fault_of_a_rule_and_of_the_log_has_its_row() -> None:
    assert named("### The members of a fault") == set(CHECKS)
    assert named("## The log") == set(MEMBERS)
    assert named("## Faults by plan") == set(RULE)


def test_every_preset_is_listed() -> None:
    line = PAGE.partition("Presets: ")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", line)) == set(PRESETS)
