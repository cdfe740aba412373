"""`make faults`: every byte offset of every recorded stream, fuzzing and random chains for as long as asked.

    python -m tests.faults.run [--minutes 5] [--seed 1]

DATABASE_URL names another database than a SQLite file of this run's own. The exit code is that of the tests.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.harness import environment

ROOT = Path(__file__).resolve().parents[2]
ALL, MINUTES, SEED = "FAULTS_ALL", "FAULTS_MINUTES", "FAULTS_SEED"
"""What the tests look at: every offset instead of a sample; how long the campaign runs; its first seed."""

FUZZ, FUZZ_A_MINUTE = "FAULTS_FUZZ", 5
"""How many times the sample of `make test` is fuzzed, of which one takes some ten seconds (tests/fuzz/campaign.py)."""


def main(arguments: Sequence[str]) -> int:
    """Run them."""
    parser = argparse.ArgumentParser(prog="tests.faults.run")
    parser.add_argument("--minutes", type=float, default=5.0, help="of random chains, after all cuts")
    parser.add_argument("--seed", type=int, help="the first seed; any, where none is named")
    asked = parser.parse_args(arguments)
    seed = random.randrange(10**6) if asked.seed is None else asked.seed  # noqa: S311 - a seed, no secret
    print("faults: all cuts first (about four minutes), then fuzzing", flush=True)
    print(f"faults: then {asked.minutes:g} minutes of random chains from seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="iw-faults-") as folder:
        work = Path(folder)
        database = os.environ.get("DATABASE_URL") or f"sqlite:///{work}/iwrouting.sqlite3"
        given = {
            "DATABASE_URL": database,
            "IW_LOG_LEVEL": "warning",
            ALL: "1",
            MINUTES: str(asked.minutes),
            SEED: str(seed),
            FUZZ: str(max(1, round(asked.minutes * FUZZ_A_MINUTE))),
        }
        return subprocess.run(
            command(seed), cwd=ROOT, env=environment.for_tests(work, None) | given, check=False
        ).returncode


def command(seed: int) -> list[str]:
    """pytest, with what the tests print."""
    tests = ["tests/faults/test_cuts.py", "tests/fuzz", "tests/faults/test_campaign.py", f"--hypothesis-seed={seed}"]
    return [sys.executable, "-m", "pytest", "-p", "tests.harness.offline", "-q", "-s", "-p", "no:cacheprovider", *tests]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
