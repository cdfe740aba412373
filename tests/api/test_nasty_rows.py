"""Whatever stands in a field of a row, or in an address: a refusal at most, and never a failure of ours."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.api.management.resources import kinds
from iwrouting.api.management.resources.document import Described
from iwrouting.models import Revision
from tests.api.rows import WHY, Rows, may_edit_upstreams
from tests.api.test_key_rows import UPSTREAM
from tests.api.test_rows import BODIES

NASTY: tuple[Any, ...] = ("\0", "x" * 10_000, 2**63, 1e308, ["\0"], {"a": 1}, None)
EVERY: dict[str, tuple[Described, dict[str, Any]]] = {
    "aliases": (kinds.ALIASES, BODIES["aliases"]),
    "overrides": (kinds.OVERRIDES, BODIES["overrides"]),
    "projects": (kinds.PROJECTS, BODIES["projects"]),
    "models": (kinds.MODELS, BODIES["models"]),
    "keys": (kinds.KEYS, BODIES["keys"]),
    "upstreams": (kinds.UPSTREAMS, UPSTREAM),
    "prices": (kinds.PRICES, {"model_id": "acme-mid", "input_usd": "1"}),
}


@pytest.mark.parametrize("kind", EVERY)
def test_whatever_a_field_says__is_no_failure_of_ours(rows: Rows, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    may_edit_upstreams(monkeypatch, rows.key)
    told, body = EVERY[kind]
    before = Revision.current()
    fields = [name for name, field in told.row().fields.items() if not field.read_only and name != "dry_run"]
    assert len(fields) > 5
    for field in fields:
        for value in NASTY:
            answer = rows.ask("POST", kind, {**body, field: value, "dry_run": True})
            assert answer.status_code in (200, 400, 403, 409, 422), (field, value, answer.content)
    assert Revision.current() == before


@pytest.mark.parametrize("name", ["%00", "%F0%9F%A6%8A", "9" * 40, "a" * 3000, "..", "%2e%2e%2f", "'", "%25"])
def test_whatever_an_address_says__is_no_failure_of_ours(rows: Rows, name: str) -> None:
    for kind in (*EVERY, "changes", "revisions"):
        for method in ("GET", "DELETE"):
            answer = rows.ask(method, f"{kind}/{name}", x_change_reason=WHY)
            assert answer.status_code in (400, 403, 404, 405), (kind, answer.content)
    assert rows.ask("GET", f"overrides?alias={name}").status_code in (200, 400)
