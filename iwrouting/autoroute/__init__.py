"""What `auto` is taken for: `measure` turns messages into numbers, `infer` numbers into a mode (docs/autoroute.md).

Pure: no I/O, no clock, no configuration; the standard library and `iwrouting.types` only.
"""

from __future__ import annotations

from iwrouting.autoroute.inferring import check_features, infer
from iwrouting.autoroute.measuring import measure
from iwrouting.autoroute.rules import RULES_VERSION

__all__ = ["RULES_VERSION", "check_features", "infer", "measure"]
