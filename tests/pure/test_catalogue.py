"""The checked-in data says what the owner's document and the provider's pages say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from iwrouting import catalogue
from iwrouting.conf.environment import MODEL_ID, ROUTING_VARIABLE
from iwrouting.resolver import resolve
from iwrouting.types import CHAT_MODES, Configuration, EnvironmentFacts, PriceFacts, Sampling

# Name, kind, variable, runtime default, design target, subsystem: the owner's document, sections 2, 3 and 5.
ALIASES = [
    ("auto", "chat_mode", "OPENAI_MODEL_AUTO", "gpt-4.1", "gpt-4.1-mini", "4"),
    ("fast", "chat_mode", "OPENAI_MODEL_FAST", "gpt-4.1-mini", "gpt-4.1-nano", "4"),
    ("deep", "chat_mode", "OPENAI_MODEL_DEEP", "gpt-5.1", "gpt-5.1", "4"),
    ("budget", "chat_mode", "OPENAI_MODEL_BUDGET", "gpt-4.1-nano", "gpt-4.1-nano", "4"),
    ("research", "chat_mode", "OPENAI_MODEL_RESEARCH", "o3-deep-research", "o3-deep-research", "4"),
    ("code", "chat_mode", "OPENAI_MODEL_CODE", "gpt-5.1-codex", "gpt-5.1", "4"),
    ("summary", "role", "OPENAI_MODEL_SUMMARY", "gpt-4.1-nano", "gpt-4.1-nano", "5.2"),
    ("snapshot", "role", "OPENAI_MODEL_SNAPSHOT", "gpt-4.1-mini", "gpt-4.1-mini", "5.2"),
    ("blueprint", "role", "OPENAI_MODEL_BLUEPRINT", "gpt-4.1-mini", "gpt-4.1-mini", "5.1"),
    ("plan_tasks", "role", "OPENAI_MODEL_PLAN_TASKS", "gpt-5-mini", "gpt-5-mini", "5.1"),
    ("manager", "role", "OPENAI_MODEL_MANAGER", "gpt-5.1", "gpt-5.1", "5.3"),
    ("worker_code", "role", "OPENAI_MODEL_WORKER_CODE", "gpt-5.1", "gpt-5.1", "5.4"),
    ("worker_test", "role", "OPENAI_MODEL_WORKER_TEST", "gpt-4.1-mini", "gpt-4.1-mini", "5.4"),
    ("worker_doc", "role", "OPENAI_MODEL_WORKER_DOC", "gpt-4.1-mini", "gpt-4.1-mini", "5.4"),
    ("alignment", "role", "OPENAI_MODEL_ALIGNMENT", "gpt-4.1-nano", "gpt-4.1-nano", "5.5"),
    ("intent", "role", "OPENAI_MODEL_INTENT", "gpt-4.1-nano", "gpt-4.1-nano", "5.6"),
    ("research_deep", "role", "OPENAI_MODEL_RESEARCH_DEEP", "o3-deep-research", "o3-deep-research", "5.7"),
    ("embedding", "embedding", "OPENAI_EMBEDDING_MODEL", "text-embedding-3-small", "text-embedding-3-small", "7"),
]

# Id, chat, context window, largest input, largest output, dollars per 1M tokens (input, cached, output), shutdown.
MODELS = [
    ("gpt-4.1", True, 1_047_576, 1_047_576, 32_768, "2.00", "0.50", "8.00", "2027-01-14"),
    ("gpt-4.1-mini", True, 1_047_576, 1_047_576, 32_768, "0.40", "0.10", "1.60", "2027-01-14"),
    ("gpt-4.1-nano", True, 1_047_576, 1_047_576, 32_768, "0.10", "0.025", "0.40", "2026-10-23"),
    ("gpt-5.1", True, 400_000, 272_000, 128_000, "1.25", "0.125", "10.00", "2027-04-01"),
    ("gpt-5-mini", True, 400_000, 272_000, 128_000, "0.25", "0.025", "2.00", "2026-12-11"),
    ("gpt-5.1-codex", False, 400_000, 272_000, 128_000, "1.25", "0.125", "10.00", "2026-07-23"),
    ("o3-deep-research", False, 200_000, 200_000, 100_000, "10.00", "2.50", "40.00", "2026-07-23"),
    ("gpt-6-luna", True, 1_050_000, 922_000, 128_000, "0.10", "0.01", "0.50", None),
    ("gpt-6.1-terra", True, 1_050_000, 922_000, 128_000, "1.00", "0.05", "5.00", None),
    ("gpt-6.1-sol", True, 1_050_000, 922_000, 128_000, "2.00", "0.10", "10.00", None),
    ("gpt-5.6-sol", True, 1_050_000, 922_000, 128_000, "4.00", "0.40", "20.00", None),
]


@pytest.mark.parametrize(("name", "kind", "variable", "runtime", "design", "subsystem"), ALIASES)
def test_matrix__each_alias_of_the_owner__stands_as_written(
    name: str, kind: str, variable: str, runtime: str, design: str, subsystem: str
) -> None:
    alias = catalogue.matrix()[name]
    assert (alias.facts.kind, alias.facts.variable, alias.facts.subsystem) == (kind, variable, subsystem)
    assert (alias.model("runtime"), alias.model("design")) == (runtime, design)
    assert alias.facts.default_model == runtime
    assert alias.facts.infer
    assert alias.facts.purpose
    assert alias.facts.tier in ("small", "mid", "strong")


def test_matrix__as_a_whole__holds_these_aliases_in_this_order() -> None:
    assert list(catalogue.matrix()) == [row[0] for row in ALIASES]
    assert tuple(row[0] for row in ALIASES[:6]) == CHAT_MODES
    assert catalogue.PROFILES == ("runtime", "design")


@pytest.mark.parametrize("name", [row[0] for row in ALIASES])
def test_matrix__chain__is_primary_then_auto_then_fast(name: str) -> None:
    chain = catalogue.matrix()[name].facts.chain
    assert chain == (() if name == "embedding" else tuple(rung for rung in ("auto", "fast") if rung != name))


@pytest.mark.parametrize(("name", "runtime"), [(row[0], row[3]) for row in ALIASES])
def test_matrix__with_nothing_configured__resolves_to_the_runtime_default(name: str, runtime: str) -> None:
    config = Configuration(
        revision=0,
        aliases={alias: entry.facts for alias, entry in catalogue.matrix().items()},
        overrides={},
        projects={},
        models={model: entry.facts for model, entry in catalogue.models().items()},
        upstreams={},
        keys={},
        environment=EnvironmentFacts("", {}),
        catalogue_version=catalogue.version(),
        default_upstream="environment",
        database=False,
    )
    found = resolve(config, name, project="atlas", now=datetime(2026, 11, 22, tzinfo=UTC))
    assert (found.model, found.source) == (runtime, "default")


@pytest.mark.parametrize(("name", "chat", "window", "largest", "output", "fresh", "cached", "out", "ends"), MODELS)
def test_models__each_chat_model__has_its_facts(
    name: str,
    chat: bool,
    window: int,
    largest: int,
    output: int,
    fresh: str,
    cached: str,
    out: str,
    ends: str | None,
) -> None:
    model = catalogue.models()[name]
    assert model.facts.endpoints == ({"chat", "responses"} if chat else {"responses"})
    assert (model.facts.context_window, model.facts.max_input, model.facts.max_output) == (window, largest, output)
    assert (model.input_usd, model.cached_usd, model.output_usd) == (Decimal(fresh), Decimal(cached), Decimal(out))
    assert model.facts.shutdown_date == (date.fromisoformat(ends) if ends else None)


def test_models__prices__are_exact_pico_dollars_a_token() -> None:
    [price] = catalogue.models()["gpt-4.1-nano"].prices
    assert (price.input_pico, price.cached_pico, price.output_pico) == (100_000, 25_000, 400_000)
    assert price.version == f"catalogue {catalogue.version()}"
    assert catalogue.pico(None) is None
    assert catalogue.pico(Decimal("0.000001")) == 1


@pytest.mark.parametrize(("name", "usd"), [("text-embedding-3-small", "0.02"), ("text-embedding-3-large", "0.13")])
def test_models__embedding_model__serves_embeddings_alone(name: str, usd: str) -> None:
    model = catalogue.models()[name]
    assert model.facts.endpoints == {"embeddings"}
    assert (model.input_usd, model.cached_usd, model.output_usd) == (Decimal(usd), None, None)
    assert model.facts.max_input == 8_192


@pytest.mark.parametrize(
    ("name", "sampling", "effort", "cap"),
    [
        ("gpt-4.1", Sampling.ANY, "", "max_tokens"),
        ("gpt-4.1-nano", Sampling.ANY, "", "max_tokens"),
        ("gpt-5.1", Sampling.EFFORT_NONE, "none", "max_completion_tokens"),
        ("gpt-5-mini", Sampling.NEVER, "medium", "max_completion_tokens"),
        ("gpt-5.1-codex", Sampling.NEVER, "medium", "max_completion_tokens"),
        ("o3-deep-research", Sampling.NEVER, "medium", "max_completion_tokens"),
        ("gpt-6.1-sol", Sampling.NEVER, "medium", "max_completion_tokens"),
    ],
)
def test_models__parameter_rules__are_those_of_the_family(name: str, sampling: Sampling, effort: str, cap: str) -> None:
    facts = catalogue.models()[name].facts
    assert (facts.sampling, facts.default_effort, facts.completion_cap_param) == (sampling, effort, cap)
    assert facts.reasoning == (sampling is not Sampling.ANY)


def test_models__replacements_and_matrix__name_well_formed_ids_that_are_known() -> None:
    known = catalogue.models()
    assert all(MODEL_ID.fullmatch(name) for name in known)
    for entry in catalogue.matrix().values():
        assert {entry.model("runtime"), entry.model("design")} <= set(known)
        assert ROUTING_VARIABLE.fullmatch(entry.facts.variable)
    for model in known.values():
        ends, replacement = model.facts.shutdown_date, model.facts.replacement
        assert not replacement or (ends is not None and MODEL_ID.fullmatch(replacement))
        assert model.source
        assert model.checked_on <= date(2026, 12, 31)


def test_models__past_272k_input__have_no_price_here_where_a_higher_tier_exists() -> None:
    higher = {name: model.prices[1:] for name, model in catalogue.models().items() if len(model.prices) > 1}
    assert set(higher) >= {"gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-5.6-sol"}
    for name, prices in higher.items():
        unknown = PriceFacts(None, None, None, catalogue.models()[name].prices[0].version, above_input_tokens=272_000)
        assert prices == (unknown,)
