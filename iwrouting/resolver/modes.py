"""When `auto` stands for the chat mode that its messages look like (design.md 4)."""

from __future__ import annotations

from datetime import datetime

from iwrouting.resolver.ladder import climb
from iwrouting.types import AUTO, AliasFacts, Configuration, Source


def infers(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> bool:
    """Whether a chat mode is inferred for this alias: only `auto`, and only while every switch in force is on."""
    if alias.name != AUTO or not alias.infer:
        return False
    _, _, source = climb(config, alias, project, now)
    if source not in (Source.PROJECT_OVERRIDE, Source.OVERRIDE):
        return True
    scope = project if source is Source.PROJECT_OVERRIDE else None
    return config.overrides[scope, alias.name].infer
