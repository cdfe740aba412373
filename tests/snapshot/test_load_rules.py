"""What a worker refuses that finds it stored, by the rule's name; all else that no save lets through it survives."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from iwrouting.models import Alias, Model
from iwrouting.resolver import resolve
from iwrouting.resolver.faults import structural_faults
from iwrouting.snapshot import SnapshotRefused, SnapshotStore, load
from tests.snapshot.malformed import spoil


@pytest.mark.parametrize(
    ("column", "value", "rule"), [("default_model", "  ", "default_missing"), ("kind", "embedding", "embedding_chain")]
)
def test_alias__that_can_not_serve_or_would_mix_vectors__refuses_the_snapshot(
    column: str, value: str, rule: str
) -> None:
    store = SnapshotStore()
    store.check()
    assert store.fault == ""
    served = store.current
    spoil("alias", column, value)
    store.check()
    assert store.fault.startswith("snapshot refused: alias blueprint: ")
    assert store.fault.endswith(f"[{rule}]")
    assert store.current is served
    with pytest.raises(SnapshotRefused, match=rule):
        load()


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("chain", '["blueprint"]', "chain_cycle"),
        ("chain", '["fast", "fast"]', "chain_repeats"),
        ("chain", '["a", "b", "c", "d", "e", "f"]', "chain_too_long"),
        ("chain", '["nosuch"]', "rung_unknown"),
        ("chain", '["vectors"]', "wrong_kind"),
        ("default_model", "vectors", "wrong_kind"),
        ("chain", '["off"]', "model_disabled"),
    ],
)
def test_fault__that_a_call_survives__takes_no_worker_down(column: str, value: str, rule: str) -> None:
    Model(model_id="vectors", endpoints=["embeddings"]).save()
    Model(model_id="off", endpoints=["chat"], enabled=False).save()
    Alias(name="fast", kind="chat_mode", default_model="gpt-4.1").save()
    row = Alias.objects.get(name="blueprint")
    setattr(row, column, json.loads(value) if column == "chain" else value)
    row.save()
    config, now = load(), timezone.now()
    assert rule in {fault.code for fault in structural_faults(config, now)}
    assert resolve(config, "blueprint", project=None, now=now, endpoint="chat").chain
