"""What `manage.py doctor` looks at, one line a check (docs/health.md)."""

from __future__ import annotations

from iwrouting.management.doctor.examination import examine
from iwrouting.management.doctor.results import Level, Result

__all__ = ["Level", "Result", "examine"]
