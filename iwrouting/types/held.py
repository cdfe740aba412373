"""A response that a provider keeps, as the calls know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HeldFacts:
    """Where a stored response is held and whose it is; `project` and `decision` are of the call that made it.

    `decision` has the columns of that call's decision that a record of its usage repeats; empty: not known any more.
    """

    response_id: str
    project: str
    key_id: str
    upstream: str
    model: str
    decision_id: str
    is_background: bool = False
    decision: Mapping[str, Any] = field(default_factory=dict)
