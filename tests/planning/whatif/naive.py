"""The what-if as it is defined, call by call: slow, and without any of the groups, limits and sums of the real one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from iwrouting.errors import Unavailable, UnknownModel
from iwrouting.models import Decision, Outcome
from iwrouting.pricing import cost
from iwrouting.resolver import facts_of, resolve
from iwrouting.resolver.names import find_alias
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.types import FUNCTION_TOOLS, Configuration, CostState, Inference, Kind, Skip, Usage

Problems = set[tuple[str, str]]
PRICED = ("exact", "estimated")
SKIPPED = {Skip.NOT_ALLOWED: "not_allowed", Skip.MODEL_DISABLED: "disabled", Skip.ENDPOINT_UNSUPPORTED: "endpoint"}
LIVES = {"model_retired": "retired", "model_retiring": "retiring", "model_unverified": "unverified"}


def naive(before: Configuration, after: Configuration, start: datetime, end: datetime, today: date) -> dict[str, Any]:
    """Lines, conflicts and what has no price."""
    schedule = {
        place: row if before.overrides.get(place) == row else replace(row, starts_at=None, expires_at=None)
        for place, row in after.overrides.items()
    }
    after = replace(after, overrides=schedule)
    found: dict[str, Any] = {"lines": {}, "unpriced": Counter(), "conflicts": Counter()}
    found |= dict.fromkeys(("refused", "resolves", "resolves_changed", "drifted", "recorded_pico"), 0)
    for decision in Decision.objects.filter(decision_at__gte=start, decision_at__lt=end):
        if decision.endpoint in ("chat", "responses", "embeddings", "responses.usage", "resolve"):
            _take(found, before, after, decision, today)
    return found


def _take(found: dict[str, Any], before: Configuration, after: Configuration, decision: Decision, today: date) -> None:
    rows = sorted(decision.outcomes.all(), key=lambda row: row.origin != "server")
    outcome = rows[0] if rows else Outcome(decision=decision, cost_state="")
    primary, old, met = _serving(before, decision, outcome, today, frozenset())
    barred = frozenset(
        key.key_id for sha, key in before.keys.items() if key.revoked_at is None and after.keys[sha].revoked_at
    )
    _, new, meets = _serving(after, decision, outcome, today, barred)
    if outcome.result == "refused":
        found["refused"] += 1
        return
    if decision.endpoint == "resolve" or outcome.result == "resolved":
        found["resolves"] += 1
        found["resolves_changed"] += old != new
        return
    calls = 0 if decision.endpoint == "responses.usage" else 1
    alias = find_alias(before, decision.model_asked) or find_alias(after, decision.model_asked)
    if old or new:
        problems = meets - met
        if alias and alias.kind is Kind.EMBEDDING and old and new and _vectors(before, after, old, new):
            problems.add(("vector_space", new))
        found["conflicts"].update(dict.fromkeys(problems, calls))
    recorded = outcome.cost_pico if outcome.cost_state in PRICED else None
    found["recorded_pico"] += recorded or 0
    places: list[Any] = ["total", ("alias", alias.name if alias else ""), ("project", decision.project)]
    for place in places + ([("model", (old, new))] if old != new else []):
        line = found["lines"].setdefault(place, Counter())
        line["calls"] += calls
        if old != new:
            moved = _moved(before, after, decision, outcome, new) if new else None
            line.update(_changed(outcome, calls, recorded, moved, bool(new)))
    if old != new:
        found["drifted"] += calls * (decision.model_resolved != primary)
        if new and moved is None:
            found["unpriced"][new] += calls


def _serving(
    config: Configuration, decision: Decision, outcome: Outcome, today: date, barred: frozenset[str]
) -> tuple[str, str, Problems]:
    """The primary, the model that would answer, and what is met."""
    endpoint = "responses" if decision.endpoint == "responses.usage" else decision.endpoint
    embeds = getattr(find_alias(config, decision.model_asked), "kind", None) is Kind.EMBEDDING
    if decision.endpoint == "resolve":
        endpoint = "embeddings" if embeds else "chat"
        endpoint = endpoint if find_alias(config, decision.model_asked) else ""
    project = config.projects.get(decision.project)
    if project is not None and not project.enabled:
        return "", "", {("refused", "project_disabled")}
    if decision.key_id in barred:
        return "", "", {("refused", "key")}
    auto = decision.model_asked in ("auto", "mode:auto") and decision.inferred_mode
    try:
        answer = resolve(
            config,
            decision.model_asked,
            project=decision.project if project else None,
            now=decision.decision_at,
            inference=Inference(decision.inferred_mode, "", {}) if auto else None,
            endpoint=endpoint or None,
            key=next((key for key in config.keys.values() if key.key_id == decision.key_id), None),
        )
    except UnknownModel:
        return "", "", {("refused", "unknown_name")}
    except Unavailable:
        return "", "", {("refused", "no_model")}
    if decision.endpoint != "resolve" and answer.kind and (answer.kind is Kind.EMBEDDING) != (endpoint == "embeddings"):
        return "", "", {("refused", "kind")}
    prompt = outcome.prompt_tokens if outcome.prompt_tokens is not None else decision.estimate_tokens or 0
    text = outcome.completion_tokens or 0
    names = (answer.alias or "", answer.inference.mode if answer.inference else "")
    holders = [project, *(config.aliases.get(name) for name in names)]
    call = decision.endpoint != "resolve"
    if call and any(each and each.max_context_tokens and prompt > each.max_context_tokens for each in holders):
        return answer.model, "", {("refused", "token_cap")}
    met: Problems = set()
    for rung in answer.chain:
        model = rung.model or ""
        facts = facts_of(config, model)
        if rung.skip:
            met |= {(SKIPPED[rung.skip], model)} if rung.skip in SKIPPED else set()
        elif (
            call
            and endpoint != "embeddings"
            and ((facts.max_input or prompt) < prompt or (facts.context_window or prompt + text) < prompt + text)
        ):
            met.add(("window", model))
        else:
            tools = outcome.finish_reason in ("tool_calls", "function_call") and FUNCTION_TOOLS in facts.refused_params
            images = "images" in json.loads(decision.features) and facts.input_modalities
            life = lifecycle_warning(facts, today, config.lifecycle_warning_days).partition(":")[0]
            met |= {("output", model)} if facts.max_output and text > facts.max_output else set()
            met |= {("tools", model)} if tools else set()
            met |= {("images", model)} if images and "image" not in facts.input_modalities else set()
            met |= {("translated", model)} if call and endpoint not in facts.endpoints else set()
            met |= {(LIVES[life], model)} if life in LIVES else set()
            return answer.model, model, met
    return answer.model, "", {*met, ("refused", "no_rung")}


def _vectors(before: Configuration, after: Configuration, old: str, new: str) -> bool:
    one, other = facts_of(before, old), facts_of(after, new)
    return old != new and (not one.vector_space or one.vector_space != other.vector_space)


def _moved(before: Configuration, after: Configuration, decision: Decision, outcome: Outcome, model: str) -> int | None:
    """What the call would have cost at another model; None where that can't be told."""
    at = decision.decision_at
    usage = Usage(
        outcome.prompt_tokens,
        outcome.cached_tokens,
        outcome.cache_write_tokens,
        outcome.completion_tokens,
        outcome.reasoning_tokens,
        reported=json.loads(outcome.usage),
    )
    prices = before.prices.get(outcome.model_served, ())
    if outcome.cost_state in PRICED:
        tiers = {price.service_tier for price in prices if price.label == outcome.price_version}
    else:
        tiers = {"default"} if cost(usage, prices, at).pico is None else set()
    if len(tiers) != 1:
        return None
    return cost(replace(usage, service_tier=tiers.pop()), after.prices.get(model, ()), at).pico


def _changed(outcome: Outcome, calls: int, recorded: int | None, moved: int | None, served: bool) -> dict[str, int]:
    exact = outcome.cost_state == CostState.EXACT
    none = outcome.cost_state in ("", "none")
    both = recorded is not None and moved is not None
    return {
        "changed": calls,
        "prompt": outcome.prompt_tokens or 0,
        "cached": outcome.cached_tokens or 0,
        "cache_write": outcome.cache_write_tokens or 0,
        "completion": outcome.completion_tokens or 0,
        "reasoning": outcome.reasoning_tokens or 0,
        "before_pico": recorded or 0,
        "before_exact": calls * (recorded is not None and exact),
        "before_estimated": calls * (recorded is not None and not exact),
        "before_unpriced": calls * (recorded is None and not none),
        "before_none": calls * none,
        "after_pico": moved or 0,
        "after_exact": calls * (moved is not None and exact),
        "after_estimated": calls * (moved is not None and not exact),
        "after_unpriced": calls * (served and moved is None),
        "after_none": calls * (not served),
        "compared": calls * both,
        "difference": (moved or 0) - (recorded or 0) if both else 0,
    }
