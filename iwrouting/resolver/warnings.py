"""Lifecycle findings: warnings everywhere, errors nowhere (design.md 4). Each is `code: text`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from iwrouting.resolver.chain import facts_of
from iwrouting.types import Configuration, ModelFacts, Rung


def warnings_for(config: Configuration, chain: tuple[Rung, ...], now: datetime) -> tuple[str, ...]:
    """What an operator should know of the models of a chain, primary first, each model once."""
    models = dict.fromkeys(rung.model for rung in chain if rung.model)
    days = config.lifecycle_warning_days
    found = (lifecycle_warning(facts_of(config, model), now.date(), days) for model in models)
    return tuple(text for text in found if text)


def lifecycle_warning(facts: ModelFacts, today: date, warning_days: int) -> str:
    """The finding for one model, or an empty string. On its shutdown date a model counts as gone."""
    if not facts.verified:
        return f"model_unverified: {facts.id} is not in the catalogue"
    if not facts.enabled:
        return f"model_disabled: {facts.id} is switched off"
    if facts.shutdown_date is None or facts.shutdown_date > today + timedelta(days=warning_days):
        return ""
    instead = f", replacement {facts.replacement}" if facts.replacement else ""
    if facts.shutdown_date <= today:
        return f"model_retired: {facts.id} was shut down on {facts.shutdown_date}{instead}"
    return f"model_retiring: {facts.id} will be shut down on {facts.shutdown_date}{instead}"
