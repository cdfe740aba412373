"""The examples of these operations in the OpenAPI document; docs/configuration-api.md shows the same ones."""

from __future__ import annotations

from typing import Any

from iwrouting.api.management.examples import CHAIN, LADDER
from iwrouting.api.management.resources.examples import ALIAS, OVERRIDE, PROJECT

LINE: dict[str, Any] = {
    "id": "57",
    "at": "2026-11-22T20:00:00.123Z",
    "revision": 41,
    "kind": "configuration",
    "author": "iw_0f3a9c1d2e",
    "via": "API",
    "reason": "Atlas tries another manager",
    "row_count": 1,
}
LINES: dict[str, Any] = {
    "results": [LINE],
    "next": "/api/v1/changes?cursor=b2xkZXJ8Li4u",
    "previous": None,
    "page_size": 50,
}
CHANGE: dict[str, Any] = {
    **LINE,
    "rows": [
        {
            "object_type": "override",
            "name": "manager for atlas",
            "operation": "change",
            "changed": {"model": ["gpt-5.1", "gpt-5-mini"]},
        }
    ],
    "details": {},
}
AS_LINE = '{"id": "57", "at": "2026-11-22T20:00:00.123000Z", "revision": 41, "rows": []}\n'
AS_SHEET = "at,author,via,kind,revision\n2026-11-22T20:00:00.123000Z,iw_0f3a9c1d2e,API,configuration,41\n"


def _past(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("created_at", "updated_at")}


REVISION: dict[str, Any] = {
    **{name: LINE[name] for name in ("revision", "at", "kind", "author", "via", "reason")},
    "configuration": {
        "aliases": [_past(ALIAS.row)],
        "overrides": [_past(OVERRIDE.row)],
        "projects": [{**_past(PROJECT.row), "revision": 40}],
        "models": [],
        "upstreams": [],
        "prices": [],
        "keys": [],
    },
}
ANSWER: dict[str, Any] = {
    "alias": "fast",
    "kind": "chat_mode",
    "inferred_mode": "",
    "reason": "",
    "model": "gpt-4.1-mini",
    "upstream": "environment",
    "source": "default",
    "ladder": LADDER,
    "chain": CHAIN,
}
AGAIN: dict[str, Any] = {
    "decision_id": "019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11",
    "then": {
        "is_same": True,
        "differences": {},
        "refusal": None,
        "notes": [],
        "revision": 41,
        "environment_id": "9f0c2b7d6a5e4f31",
        "answer": ANSWER,
    },
    "now": {
        "is_same": False,
        "differences": {"model": ["gpt-4.1-mini", "gpt-5-mini"]},
        "refusal": None,
        "notes": [],
        "revision": 43,
        "environment_id": "9f0c2b7d6a5e4f31",
        "answer": {**ANSWER, "model": "gpt-5-mini"},
    },
}
