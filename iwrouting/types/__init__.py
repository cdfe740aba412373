"""The words of the product as values and frozen dataclasses (design.md 2). Standard library only."""

from __future__ import annotations

from iwrouting.types.answers import HOSTED_CALLS, AttemptRecord, Inference, LadderStep, Resolution, Rung, Usage
from iwrouting.types.facts import (
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    KeyFacts,
    ModelFacts,
    OverrideFacts,
    Price,
    ProjectFacts,
    UpstreamFacts,
)
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
    "AUTO",
    "AliasFacts",
    "AttemptRecord",
    "CHAT_MODES",
    "Configuration",
    "CostState",
    "DEFAULT_SCOPES",
    "Endpoint",
    "EnvironmentFacts",
    "HOSTED_CALLS",
    "Inference",
    "KeyFacts",
    "Kind",
    "LadderStep",
    "ModelFacts",
    "OverrideFacts",
    "Price",
    "ProjectFacts",
    "Resolution",
    "Result",
    "Rung",
    "Sampling",
    "Scope",
    "Skip",
    "Source",
    "State",
    "UpstreamFacts",
    "Usage",
]
