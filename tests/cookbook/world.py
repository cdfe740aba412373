"""The cookbook's configuration: what four people set up and changed between 1 October and 20 November 2026."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from iwrouting.models import (
    Alias,
    ApiKey,
    EnvironmentSnapshot,
    Model,
    Override,
    Price,
    Project,
    Revision,
    Upstream,
    Writer,
    change,
)
from iwrouting.models.keys import hash_key
from iwrouting.types import Via

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 21, tzinfo=UTC)
ENVIRONMENT = "e-cookbook"
VARIABLES = {"OPENAI_MODEL_BLUEPRINT": "gpt-4.1"}

MODELS: dict[str, tuple[str, str | None, str, str | None]] = {
    "gpt-4.1": ("strong", "2027-01-14", "gpt-6-luna", "2.00 0.50 8.00"),
    "gpt-4.1-mini": ("mid", "2027-01-14", "gpt-6-luna", "0.40 0.10 1.60"),
    "gpt-4.1-nano": ("small", "2026-10-23", "gpt-6-luna", "0.10 0.025 0.40"),
    "gpt-5.1": ("strong", "2027-04-01", "", "1.25 0.125 10.00"),
    "gpt-6-luna": ("small", None, "", "0.12 0.012 0.60"),
    "text-embedding-3-small": ("small", None, "", "0.02 0.02 0.00"),
    "house-70b": ("mid", None, "", None),
}
"""Tier, shutdown date, replacement; dollars for a million tokens of input, cached input and output, if known."""

LUNA_LATER = "0.10 0.01 0.50"
LUNA_CHANGED = datetime(2026, 11, 16, tzinfo=UTC)

ALIASES = {
    "auto": ("chat_mode", "gpt-4.1", "mid", ["fast"]),
    "fast": ("chat_mode", "gpt-6-luna", "small", ["auto"]),
    "deep": ("chat_mode", "gpt-5.1", "strong", ["auto", "fast"]),
    "code": ("chat_mode", "gpt-5.1", "strong", ["auto", "fast"]),
    "research": ("chat_mode", "gpt-5.1", "strong", ["auto", "fast"]),
    "summary": ("role", "gpt-4.1", "small", ["auto", "fast"]),
    "blueprint": ("role", "gpt-4.1-mini", "mid", ["auto", "fast"]),
    "manager": ("role", "gpt-5.1", "strong", ["auto", "fast"]),
    "worker_code": ("role", "gpt-5.1", "strong", ["auto", "fast"]),
    "intent": ("role", "gpt-4.1-nano", "small", ["auto", "fast"]),
    "alignment": ("role", "gpt-4.1-nano", "small", ["auto", "fast"]),
    "embedding": ("embedding", "text-embedding-3-small", "small", []),
}
"""Kind, default, tier that fits the task, chain."""

KEYS = {
    "atlas backend": ("a71c0f3e55", "atlas"),
    "atlas autopilot": ("a8d2416b90", "atlas"),
    "atlas contractor": ("ac93b7f210", "atlas"),
    "borealis backend": ("b20e95d4a1", "borealis"),
    "cascade nightly": ("c5517ae08b", "cascade"),
    "old laptop": ("d0f86b3c97", "borealis"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One change: when, by whom, by which way, why, and what it does."""

    at: str
    author: str
    via: Via
    reason: str
    act: Callable[[], None]


def set_up() -> dict[datetime, int]:
    """Store it all, each change at its own time. Returns the revision that was in force from each of these times on."""
    Revision.objects.update_or_create(id=1)
    Revision.objects.update(changed_at=START - timedelta(days=1))
    revisions = {}
    for step in STEPS:
        at = datetime.fromisoformat(f"{step.at}+00:00")
        with clock(at), change(author=step.author, via=step.via, reason=step.reason) as made:
            step.act()
        revisions[at] = made.revision
    _process()
    return revisions


@contextmanager
def clock(at: datetime) -> Iterator[None]:
    """It is this time for what Django stores."""
    with patch("django.utils.timezone.now", return_value=at):
        yield


def _begin() -> None:
    own = Upstream.objects.create(slug="house", base_url="https://models.example.com/v1")
    for name, (tier, ends, replacement, prices) in MODELS.items():
        Model.objects.create(
            model_id=name,
            tier=tier,
            shutdown_date=ends and date.fromisoformat(ends),
            replacement=replacement,
            endpoints=["embeddings"] if "embedding" in name else ["chat", "responses"],
            upstream=own if name == "house-70b" else None,
        )
        if prices:
            _price(name, prices, datetime(2026, 1, 1, tzinfo=UTC), "2026-01")
    for name, (kind, default, tier, chain) in ALIASES.items():
        variable = f"OPENAI_MODEL_{name.upper()}"
        Alias.objects.create(name=name, kind=kind, default_model=default, tier=tier, chain=chain, variable=variable)
    Project.objects.create(slug="atlas", name="Atlas", owner="Ada")
    Project.objects.create(slug="borealis", name="Borealis", owner="Ben")
    Project.objects.create(slug="cascade", name="Cascade", owner="Cleo", max_run_tokens=200_000)
    for name, (key_id, project) in KEYS.items():
        of = Project.objects.get(slug=project)
        ApiKey.objects.create(key_id=key_id, sha256=hash_key(key_id), name=name, project=of, created_by="ann")


def _price(model: str, prices: str, valid_from: datetime, version: str) -> None:
    micro = [round(float(word) * 1_000_000) for word in prices.split()]
    names = ("input_pico", "cached_pico", "output_pico")
    Price.objects.create(
        model_id=model,
        valid_from=valid_from,
        version=version,
        source="the cookbook",
        **dict(zip(names, micro, strict=True)),
    )


def _override(project: str | None, alias: str, model: str, reason: str) -> Callable[[], None]:
    def act() -> None:
        of = Project.objects.get(slug=project) if project else None
        Override.objects.create(project=of, alias=Alias.objects.get(name=alias), model=model, reason=reason)

    return act


def _intent_leaves_nano() -> None:
    alias = Alias.objects.get(name="intent")
    alias.default_model = "gpt-6-luna"
    alias.save()


def _deep_ends() -> None:
    override = Override.objects.get(project__slug="borealis", alias__name="deep")
    override.enabled = False
    override.save()


def _contract_ends() -> None:
    key = ApiKey.objects.get(name="atlas contractor")
    key.revoked_at = datetime(2026, 11, 18, 16, 40, tzinfo=UTC)
    key.save()


def _more_for_runs() -> None:
    cascade = Project.objects.get(slug="cascade")
    cascade.max_run_tokens = 250_000
    cascade.save()


def _process() -> None:
    EnvironmentSnapshot.objects.get_or_create(
        id=ENVIRONMENT, defaults={"first_seen_at": START, "values": json.dumps(VARIABLES)}
    )
    Writer.objects.create(
        id="w-cookbook",
        host="cookbook",
        pid=1,
        key_id="k",
        app_version="0.1.0",
        mode="database",
        started_at=START,
        heartbeat_at=END,
        ended_at=END,
        environment_id=ENVIRONMENT,
    )


STEPS = (
    Step("2026-10-01T00:00:00", "ann", Via.CLI, "The first matrix", _begin),
    Step(
        "2026-10-05T09:30:00",
        "ben",
        Via.ADMIN,
        "The manager needs the strongest",
        _override("borealis", "manager", "gpt-5.1", "Strongest for the manager"),
    ),
    Step(
        "2026-10-12T10:00:00",
        "cleo",
        Via.ADMIN,
        "Try a small model for the nightly summaries",
        _override("cascade", "summary", "gpt-6-luna", "Trial"),
    ),
    Step("2026-10-19T14:00:00", "ann", Via.ADMIN, "gpt-4.1-nano ends on 23 October", _intent_leaves_nano),
    Step(
        "2026-10-19T15:00:00",
        "ben",
        Via.ADMIN,
        "Compare answers of gpt-4.1",
        _override("borealis", "deep", "gpt-4.1", "Comparison"),
    ),
    Step(
        "2026-11-02T09:00:00",
        "ada",
        Via.API,
        "Intent was wrong too often",
        _override("atlas", "intent", "gpt-4.1", "Better intents"),
    ),
    Step(
        "2026-11-09T09:00:00",
        "ann",
        Via.ADMIN,
        "The small model did well for cascade",
        _override(None, "summary", "gpt-6-luna", "Summaries are a small task"),
    ),
    Step(
        "2026-11-16T00:00:00",
        "ann",
        Via.CLI,
        "The provider's new price list",
        lambda: _price("gpt-6-luna", LUNA_LATER, LUNA_CHANGED, "2026-11"),
    ),
    Step("2026-11-17T10:15:00", "ben", Via.ADMIN, "The comparison is over", _deep_ends),
    Step("2026-11-18T16:40:00", "ada", Via.API, "The contract ended", _contract_ends),
    Step("2026-11-19T11:00:00", "cleo", Via.ADMIN, "The import grows", _more_for_runs),
)
