"""The HTTP to upstreams."""

from __future__ import annotations
