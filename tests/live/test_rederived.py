"""A decision can be derived again from what stands on its row: revision, environment, rules, features (G8)."""

from __future__ import annotations

import json

import pytest

from iwrouting import catalogue
from iwrouting.models import EnvironmentSnapshot
from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.live.test_auto import PROMPTS

CHAT = [name for name in catalogue.matrix() if name != "embedding"]


@pytest.mark.parametrize(
    ("alias", "text"), [*((name, "Say hello") for name in CHAT), *(("auto", t) for t in PROMPTS.values())]
)
def test_resolving_again_under_the_rows_values__gives_its_answer(live: Live, alias: str, text: str) -> None:
    tenant = live.tenant({"worker_doc": "gpt-4.1", "summary": {"model": "gpt-4.1", "enabled": False}})
    stored = live.chat(alias, text, client=live.client(tenant)).record.decision
    asked: dict[str, object] = {"alias": stored.model_asked, "dry_run": True}
    if features := json.loads(stored.features):
        asked["features"] = features
    again = live.post("/api/v1/resolve", asked, tenant).json
    assert (again["revision"], again["environment_id"]) == (stored.revision, stored.environment_id)
    assert (again["model"], again["source"], again["upstream"]) == (
        stored.model_resolved,
        stored.source,
        stored.upstream,
    )
    assert (again["inferred_mode"] or "", again["reason"] or "") == (stored.inferred_mode, stored.reason)
    assert again["ladder"] == json.loads(stored.ladder)
    assert again["chain"] == json.loads(stored.chain)


def test_the_rows_environment_id__leads_to_the_variables_then(live: Live) -> None:
    stored = live.chat("intent").record.decision
    values = json.loads(EnvironmentSnapshot.objects.using(ALIAS).get(id=stored.environment_id).values)
    assert values["OPENAI_MODEL_INTENT"] == stored.model_resolved
    assert all(name.startswith("OPENAI_") for name in values)
