"""The writer, against stores that misbehave on purpose."""

from __future__ import annotations
