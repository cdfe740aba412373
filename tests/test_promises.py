"""The README's table of promises: each has its proof, and each proof is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is promised")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if line.startswith("| ")][1:]


def test_every_promise_has_a_proof_that_holds_tests() -> None:
    names = [row[0] for row in ROWS if row[0].startswith("G")]
    assert names == [f"G{number}" for number in range(1, 9)]
    for row in ROWS:
        proofs = re.findall(r"`(tests/[^`]+)`", row[-1])
        assert proofs, row
        for proof in map(ROOT.joinpath, proofs):
            files = sorted(proof.rglob("test_*.py")) if proof.is_dir() else [proof]
            assert any("def test_" in file.read_text(encoding="utf-8") for file in files), proof
