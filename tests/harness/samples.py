"""How many examples a property is held to: a sample in `make test`, many more in `make faults ONLY=properties`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

EXAMPLES = "FAULTS_EXAMPLES"
FACTOR = max(1, int(os.environ.get(EXAMPLES, "1")))
"""How many times the sample."""


def sample(count: int, **more: Any) -> settings:
    """The settings of a test that draws `count` examples in `make test`; `more` is hypothesis's own."""
    return settings(max_examples=count * FACTOR, **more)
