"""The page of the rules lists every code that the rules give, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    *sorted((ROOT / "iwrouting/resolver/faults").glob("*.py")),
    ROOT / "iwrouting/resolver/warnings.py",
    ROOT / "iwrouting/planning/validating.py",
    ROOT / "iwrouting/types/faults.py",
)
GIVEN = re.compile(
    r"""(?:Fault|Finding|fault|_fault|_of|_variable)\((?:alias,\ |override,\ )?"([a-z_]+)"  # made with a code
    |tell\((?:Fault|Finding),\ "([a-z_]+)"
    |code,\ text\ =\ "([a-z_]+)"
    |^(?:SWITCHED_OFF|INVALID)\ =\ "([a-z_]+)"
    |\("(chain_mixes_[a-z_]+)"
    |f"(model_[a-z]+):""",
    re.VERBOSE | re.MULTILINE,
)


def given() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    return {code for found in GIVEN.findall(text) for code in found if code}


def test_page_of_the_rules__lists_every_code_and_no_other() -> None:
    page = (ROOT / "docs/configuration-rules.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z_]+)` \| [a-z, ]+ \|", page, re.MULTILINE))
    assert len(given()) > 40
    assert listed == given()
