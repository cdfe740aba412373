"""Run all checks: lint, types, and the tests on SQLite and PostgreSQL. Called by `make test`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.harness.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
