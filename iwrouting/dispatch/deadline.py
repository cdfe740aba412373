"""How a call's one deadline is shared among the rungs that may still be needed. Pure; all times in seconds."""

from __future__ import annotations

RESERVE_SHARE = 0.1
"""So much of what is left is kept for each rung that may still follow."""

RESERVE_MIN_S = 5.0
"""Kept for each of them at least, as long as that leaves this rung no less."""


def rung_deadline(now: float, deadline: float, later: int) -> float:
    """Until when a rung may try, with `later` candidates after it; the deadline itself for the last one.

    Each later candidate keeps a tenth of what is left, at least 5 s, and never more than an equal share: so a primary
    that hangs can't make its fallback unreachable, and with little time left all candidates get the same of it.
    """
    left = max(0.0, deadline - now)
    each = min(left / (later + 1), max(RESERVE_MIN_S, RESERVE_SHARE * left))
    return deadline - later * each
