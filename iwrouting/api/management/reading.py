"""Whose usage a key may ask for."""

from __future__ import annotations

from iwrouting.calls.caller import known_project, may_use
from iwrouting.errors import Forbidden
from iwrouting.types import Configuration, KeyFacts

PROJECT = "project"


def project_to_read(config: Configuration, key: KeyFacts, named: str) -> str:
    """The slug of a project that is named by slug or external id; an unknown name as it is, for calls have those too.

    Raises Forbidden for any that the key does not read, whether or not there is one: no calls would be a wrong answer.
    """
    slug = known_project(config, named) or named
    if not may_use(key, slug):
        what = f"the project '{named[:80]}'" if named else "calls without a project"
        raise Forbidden(
            f"This key does not read {what}: ask for a project of its own, or use another key.",
            param=PROJECT,
            code="project_not_granted",
        )
    return slug
