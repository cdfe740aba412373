"""Before any test module is imported: the helpers whose assertions are to speak."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.live.ledger", "tests.live.live", "tests.live.processes")
