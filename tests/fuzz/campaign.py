"""How long the fuzzing goes on: a fixed sample in `make test`, new examples and more of them in a campaign.

FAULTS_FUZZ=20 draws twenty times as many examples as the sample, new ones each time; a failure prints how to repeat it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FACTOR = max(1, int(os.environ.get("FAULTS_FUZZ", "1")))


def examples(count: int) -> settings:
    """The settings of one test that draws `count` examples in the sample."""
    return settings(
        max_examples=count * FACTOR,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        print_blob=FACTOR > 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
