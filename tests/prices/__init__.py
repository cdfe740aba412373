"""The price table: golden costs, the packaged price lists, and the sync that fills it from them."""

from __future__ import annotations
