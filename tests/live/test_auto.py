"""`auto` stands for the mode that the messages look like, while the switches are on; features are numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from iwrouting.models import Alias
from tests.live.databases import ALIAS
from tests.live.live import Live

CODE = "Fix this:\n```python\ndef add(a, b):\n    return a - b\n\nfor i in range(3):\n    print(add(i, 1))\n```"
RESEARCH = "Research and compare the literature on vector databases, with sources and citations for every claim"
FAST = "Hello"
DEEP = "Explain why our sales fell in the second quarter although the number of visitors to the shops went up slightly"
PROMPTS = {"code": CODE, "research": RESEARCH, "fast": FAST, "deep": DEEP}
DEFAULTS = {"code": "gpt-5.1-codex", "research": "o3-deep-research", "fast": "gpt-4.1-mini", "deep": "gpt-5.1"}


@pytest.mark.parametrize("mode", PROMPTS)
def test_auto__is_resolved_as_the_mode_it_looks_like(live: Live, mode: str) -> None:
    called = live.chat("auto", PROMPTS[mode])
    decision = called.record.decision
    assert (called.headers["x-iw-alias"], called.headers["x-iw-mode"]) == ("auto", mode)
    assert (decision.alias, decision.inferred_mode, decision.model_resolved) == ("auto", mode, DEFAULTS[mode])
    assert decision.reason
    features = json.loads(decision.features)
    assert features
    assert all(type(number) is int for number in features.values())
    assert json.loads(decision.chain)[0]["alias"] == mode
    answer = live.resolve("auto", messages=[{"role": "user", "content": PROMPTS[mode]}])
    assert (answer["inferred_mode"], answer["reason"], answer["features"]) == (mode, decision.reason, features)
    by_numbers = live.resolve("auto", features=features)
    assert (by_numbers["inferred_mode"], by_numbers["model"]) == (mode, DEFAULTS[mode])


def test_streamed_auto__is_inferred_too(live: Live) -> None:
    called = live.stream("auto", CODE)
    assert (called.headers["x-iw-mode"], called.record.decision.inferred_mode) == ("code", "code")


def test_inferred_mode__follows_that_modes_override(live: Live) -> None:
    called = live.chat("auto", FAST, client=live.client(live.tenant({"fast": "gpt-4.1-nano"})))
    assert (called.headers["x-iw-model"], called.headers["x-iw-source"]) == ("gpt-4.1-nano", "project_override")
    assert called.record.decision.alias == "auto"


def test_auto_without_messages__is_its_own_model(live: Live) -> None:
    answer = live.resolve("auto")
    assert (answer["model"], answer["inferred_mode"], answer["features"]) == ("gpt-4.1", None, None)


@pytest.mark.parametrize("alias", ["fast", "deep", "manager", "intent", "worker_code"])
def test_other_names__are_never_inferred(live: Live, alias: str) -> None:
    called = live.chat(alias, CODE)
    assert "x-iw-mode" not in called.headers
    assert (called.record.decision.inferred_mode, called.record.decision.features) == ("", "{}")


def test_switch_on_the_alias__pins_auto_to_its_model(live: Live, auto: Alias) -> None:
    auto.infer = False
    auto.save(using=ALIAS)
    live.settle()
    called = live.chat("auto", CODE)
    assert (called.headers["x-iw-model"], called.record.decision.inferred_mode) == ("gpt-4.1", "")
    assert "x-iw-mode" not in called.headers


def test_switch_on_an_override__pins_auto_for_that_project(live: Live) -> None:
    pinned = live.tenant({"auto": {"model": "gpt-4.1-nano", "infer": False}})
    called = live.chat("auto", CODE, client=live.client(pinned))
    assert (called.headers["x-iw-model"], called.record.decision.inferred_mode) == ("gpt-4.1-nano", "")
    inferring = live.tenant({"auto": {"model": "gpt-4.1-nano", "infer": True}})
    assert live.chat("auto", CODE, client=live.client(inferring)).headers["x-iw-mode"] == "code"


def test_switch_on_an_override_out_of_force__does_not_pin(live: Live) -> None:
    tenant = live.tenant({"auto": {"model": "gpt-4.1-nano", "infer": False, "enabled": False}})
    assert live.chat("auto", CODE, client=live.client(tenant)).headers["x-iw-mode"] == "code"


@pytest.fixture
def auto(live: Live) -> Iterator[Alias]:
    """The alias `auto`, inferring again afterwards."""
    yield Alias.objects.using(ALIAS).get(name="auto")
    row = Alias.objects.using(ALIAS).get(name="auto")
    row.infer = True
    row.save(using=ALIAS)
    live.settle()
