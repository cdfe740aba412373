"""The examples of the list of decisions in the OpenAPI document; docs/api.md shows the same ones."""

from __future__ import annotations

import json
from typing import Any

from iwrouting.api.management.examples import DECISION

ITEM: dict[str, Any] = {name: value for name, value in DECISION.items() if name != "attempts"}
PAGE: dict[str, Any] = {
    "window": {"start": "2026-11-21T20:00:01.000Z", "end": None},
    "results": [ITEM],
    "next": "/api/v1/decisions?created_at__gte=2026-11-21T20%3A00%3A01%2B00%3A00&cursor=b2xkZXJ8Li4u",
    "previous": None,
    "page_size": 50,
}
LINE = f"{json.dumps(ITEM)}\n"
SHEET = "decision_id,created_at,project,alias\n019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11,2026-11-22T20:00:00.123Z,atlas\n"
