"""The names of the metrics: as Prometheus and the conventions want them, and in step with the rules of `auto`."""

from __future__ import annotations

import re

import pytest

from iwrouting.autoroute import infer, rules
from iwrouting.meters import Metric
from iwrouting.meters.names import METRICS, RULES

LABEL = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
FEATURES: dict[str, dict[str, int]] = {
    "code-heavy": dict.fromkeys(rules.CODE_WEIGHTS, 9),
    "long": {"words": rules.LONG_WORDS},
    "research-like": dict.fromkeys(rules.RESEARCH_WEIGHTS, 9),
    "short and simple": {"words": 1, "chars": 5, "lines": 1},
    "everything else": {"words": rules.FAST_WORDS + 1},
}


def test_the_rules__are_those_by_which_auto_is_inferred() -> None:
    found = {rule: infer(features) for rule, features in FEATURES.items()}
    assert [(each.mode, each.reason.partition(":")[0]) for each in found.values()] == list(RULES)
    assert [rule for _, rule in RULES] == list(FEATURES)


@pytest.mark.parametrize("found", METRICS, ids=lambda metric: metric.name)
def test_a_metric__has_a_name_and_labels_as_prometheus_wants_them(found: Metric) -> None:
    assert found.name.startswith(("gen_ai_client_", "iwrouting_"))
    assert LABEL.fullmatch(found.name)
    assert found.name.endswith("_total") is (found.kind == "counter")
    assert all(LABEL.fullmatch(label) for label in found.labels)
    assert len(set(found.labels)) == len(found.labels)
    assert not {"le", "host", "pid"} & set(found.labels)
    assert list(found.bounds) == sorted(set(found.bounds))
    assert bool(found.bounds) is (found.kind == "histogram")
    assert found.help.endswith(".")
    assert all(len(labels) == len(found.labels) for labels in found.starts)


def test_no_two_metrics__have_one_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
