"""The labelled and the held-out prompts, and how they are counted into a confusion table."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iwrouting.autoroute import infer, measure

MODES = ("code", "research", "fast", "deep")
Confusion = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Prompt:
    """A prompt, or a conversation, and the mode that a person gave it by the guideline in docs/autoroute.md."""

    id: str
    expect: str
    kind: str
    lang: str
    messages: tuple[dict[str, Any], ...]
    batch: int

    @property
    def inferred(self) -> str:
        """The mode that the rules give it."""
        return infer(measure(self.messages)).mode


def load(name: str) -> list[Prompt]:
    """The prompts of `labelled` or `heldout`."""
    rows = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    return [
        Prompt(
            row["id"],
            row["expect"],
            row["kind"],
            row["lang"],
            tuple(row.get("messages") or [user(row["prompt"])]),
            row.get("batch", 1),
        )
        for row in rows
    ]


def user(content: object) -> dict[str, Any]:
    """A message of the user."""
    return {"role": "user", "content": content}


def assistant(content: object) -> dict[str, Any]:
    """A message of the model."""
    return {"role": "assistant", "content": content}


def mode_of(*messages: dict[str, Any]) -> str:
    """The mode that is inferred for a conversation."""
    return infer(measure(messages)).mode


def confusion(prompts: list[Prompt]) -> Confusion:
    """How often each expected mode was inferred as which."""
    return Counter((prompt.expect, prompt.inferred) for prompt in prompts)


def right(table: Confusion) -> int:
    """How many were inferred as expected."""
    return sum(count for (expected, inferred), count in table.items() if expected == inferred)


def share(table: Confusion) -> float:
    """The same as a share of all."""
    return right(table) / table.total()
