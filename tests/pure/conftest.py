"""How the property tests of the pure rooms run: the same examples each time, no clock of Hypothesis's own.

`--hypothesis-profile=explore` draws new examples instead.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("house")
