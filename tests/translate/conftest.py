"""One sandbox process for all tests of this folder."""

from __future__ import annotations

from tests.sandbox.conftest import client, process, sandbox

__all__ = ["client", "process", "sandbox"]
