"""`python -m tests.faults.report [TESTS]`: run the fault tests and write what they saw into docs/faults.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.page import PAGE, REWRITE

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run them; the exit code is pytest's."""
    asked = sys.argv[1:] or ["tests/faults"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked]
    env = {"IW_ENV": "development", **os.environ, REWRITE: "write"}
    done = subprocess.run(command, cwd=ROOT, env=env, check=False)
    print(f"{PAGE.relative_to(ROOT)}: written")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
