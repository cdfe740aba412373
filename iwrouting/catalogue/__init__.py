"""Model facts and the built-in matrix as data: two checked-in files, read once. Standard library only.

`models.json` holds what is known of each provider model, with its source and the day it was checked
(openai-facts.md 1); `schema.py` refuses a file that does not hold what it must. `matrix.json` holds the owner's
aliases with both profiles (seed-model-matrix.md 3).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from iwrouting.catalogue.schema import CatalogueFault, check_models
from iwrouting.types import AliasFacts, Kind, ModelFacts, PriceFacts, Sampling

__all__ = ["PROFILES", "CatalogueFault", "CatalogueModel", "MatrixAlias", "matrix", "models", "pico", "version"]

PICO_PER_TOKEN = 1_000_000
"""Pico-dollars a token in one dollar per million tokens."""

PROFILES = ("runtime", "design")


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One entry of models.json. Prices in dollars per 1M tokens as exact decimals; None: no such price."""

    facts: ModelFacts
    prices: tuple[PriceFacts, ...]
    input_usd: Decimal | None
    cached_usd: Decimal | None
    output_usd: Decimal | None
    tier: str
    checked_on: date
    source: str


@dataclass(frozen=True, slots=True)
class MatrixAlias:
    """One alias of matrix.json: its facts under the runtime profile, and the model that the design profile names."""

    facts: AliasFacts
    design_model: str

    def model(self, profile: str) -> str:
        """The alias's model under `runtime` or `design`."""
        return self.design_model if profile == "design" else self.facts.default_model


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return data


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def pico(usd_per_million: Decimal | None) -> int | None:
    """Dollars per 1M tokens as integer pico-dollars a token; None stays None. Exact to six decimals of a dollar."""
    return None if usd_per_million is None else int(usd_per_million * PICO_PER_TOKEN)


def _model(entry: dict[str, Any], version: str) -> CatalogueModel:
    prices = {name: _decimal(entry["prices"][name]) for name in ("input", "cached", "output")}
    shutdown = entry["shutdown_date"]
    facts = ModelFacts(
        id=entry["id"],
        endpoints=frozenset(entry["endpoints"]),
        context_window=entry["context_window"],
        max_input=entry["max_input"],
        max_output=entry["max_output"],
        reasoning=entry["reasoning"],
        default_effort=entry["default_effort"],
        sampling=Sampling(entry["sampling"]),
        completion_cap_param=entry["completion_cap_param"],
        shutdown_date=date.fromisoformat(shutdown) if shutdown else None,
        replacement=entry["replacement"],
        refused_params=frozenset(entry["refused_params"]),
        efforts=tuple(entry["efforts"]),
        effort_for_tools=entry["effort_for_tools"],
        hosted_tools=None if entry["hosted_tools"] is None else frozenset(entry["hosted_tools"]),
        input_modalities=frozenset(entry["input_modalities"]),
        dimensions=entry["dimensions"],
        vector_space=entry["vector_space"],
    )
    return CatalogueModel(
        facts=facts,
        prices=_prices(entry, version),
        input_usd=prices["input"],
        cached_usd=prices["cached"],
        output_usd=prices["output"],
        tier=entry["tier"],
        checked_on=date.fromisoformat(entry["checked_on"]),
        source=entry["source"],
    )


def _prices(entry: dict[str, Any], version: str) -> tuple[PriceFacts, ...]:
    """The price list of an entry; past its ceiling a price that is not known."""
    found = {name: pico(_decimal(entry["prices"][name])) for name in ("input", "cached", "output")}
    ceiling = entry["price_ceiling_input_tokens"]
    base = PriceFacts(found["input"], found["cached"], found["output"], version)
    return (base, PriceFacts(None, None, None, version, above_input_tokens=ceiling)) if ceiling else (base,)


@cache
def _models_file() -> dict[str, Any]:
    data = _read("models.json")
    check_models(data)
    return data


def version() -> str:
    """The version of models.json, stored with every decision. Raises CatalogueFault."""
    return str(_models_file()["version"])


@cache
def models() -> dict[str, CatalogueModel]:
    """Every catalogue model by id. Raises CatalogueFault for a file that does not hold what it must."""
    data = _models_file()
    return {entry["id"]: _model(entry, f"catalogue {data['version']}") for entry in data["models"]}


@cache
def matrix() -> dict[str, MatrixAlias]:
    """Every built-in alias by name, chat modes first, in the order of the owner's document."""
    return {entry["name"]: _alias(entry) for entry in _read("matrix.json")["aliases"]}


def _alias(entry: dict[str, Any]) -> MatrixAlias:
    facts = AliasFacts(
        name=entry["name"],
        kind=Kind(entry["kind"]),
        variable=entry["variable"],
        default_model=entry["default"],
        chain=tuple(entry["chain"]),
        purpose=entry["purpose"],
        subsystem=entry["subsystem"],
        tier=entry["tier"],
    )
    return MatrixAlias(facts=facts, design_model=entry["design"])
