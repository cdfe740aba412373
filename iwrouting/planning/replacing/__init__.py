"""Replacing models wherever the configuration names them, as one plan (docs/catalogue.md).

`swaps.py` says which model takes which one's place, `left.py` what goes on naming the old one, `compared.py` how the
two differ.
"""

from __future__ import annotations

from iwrouting.planning.replacing.compared import Compared
from iwrouting.planning.replacing.left import Left
from iwrouting.planning.replacing.planning import Part, Replacing, plan_replacing
from iwrouting.planning.replacing.swaps import CannotReplace, Swaps, swap_ending, swap_one

__all__ = [
    "CannotReplace",
    "Compared",
    "Left",
    "Part",
    "Replacing",
    "Swaps",
    "plan_replacing",
    "swap_ending",
    "swap_one",
]
