"""The words of the product as values and frozen dataclasses (design.md 2). Standard library only."""

from __future__ import annotations

from iwrouting.types.answers import HOSTED_CALLS, AttemptRecord, Inference, LadderStep, Resolution, Rung, Usage
from iwrouting.types.facts import (
    ALWAYS,
    DEFAULT_TIER,
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    KeyFacts,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    UpstreamFacts,
)
from iwrouting.types.held import HeldFacts
from iwrouting.types.parameters import EFFORTS, FUNCTION_TOOLS, HOSTED_TOOLS, MODALITIES, PARAMETERS, TIERS
from iwrouting.types.values import (
    AUTO,
    CHAT_MODES,
    DEFAULT_SCOPES,
    CostState,
    Endpoint,
    Kind,
    Result,
    Sampling,
    Scope,
    Skip,
    Source,
    State,
)

__all__ = [
    "ALWAYS",
    "AUTO",
    "AliasFacts",
    "AttemptRecord",
    "CHAT_MODES",
    "Configuration",
    "CostState",
    "DEFAULT_SCOPES",
    "DEFAULT_TIER",
    "EFFORTS",
    "Endpoint",
    "EnvironmentFacts",
    "FUNCTION_TOOLS",
    "HOSTED_CALLS",
    "HOSTED_TOOLS",
    "HeldFacts",
    "Inference",
    "KeyFacts",
    "Kind",
    "LadderStep",
    "MODALITIES",
    "ModelFacts",
    "OverrideFacts",
    "PARAMETERS",
    "PriceFacts",
    "ProjectFacts",
    "Resolution",
    "Result",
    "Rung",
    "Sampling",
    "Scope",
    "Skip",
    "Source",
    "State",
    "TIERS",
    "UpstreamFacts",
    "Usage",
]
