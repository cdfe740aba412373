"""Calls in one process, where a process of its own could not show it."""

from __future__ import annotations
