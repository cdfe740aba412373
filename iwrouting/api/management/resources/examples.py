"""What the document and docs/configuration-api.md show of each kind of rows, and say of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REASON = "The review step gets a model of its own"
TIMES = {"created_at": "2026-11-22T20:00:00.123Z", "updated_at": "2026-11-22T20:00:00.123Z"}


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one kind: `row` as it is answered, `body` that makes it, `patch` that changes it; and sentences.

    `made` and `made_row`: the answer to POST where it tells more. `a`: the article. `named`: what the address takes.
    """

    row: Mapping[str, Any]
    body: Mapping[str, Any]
    patch: Mapping[str, Any]
    named: str
    listed: str = ""
    created: str = ""
    read: str = ""
    changed: str = ""
    archived: str = ""
    a: str = "a"
    made: Any = None
    made_row: Mapping[str, Any] | None = None


PLAN: dict[str, Any] = {
    "dry_run": True,
    "revision": 41,
    "rows": [
        {
            "object_type": "override",
            "name": "manager for atlas",
            "operation": "change",
            "changed": {"model": ["gpt-5.1", "gpt-5-mini"]},
        }
    ],
    "findings": [],
}
ALIAS = Sample(
    a="an",
    named="The alias.",
    created="A name that callers may ask for from now on.",
    read="As it is stored, with its ETag.",
    changed="Name and kind stay.",
    archived="Callers are answered 404 from now on; history keeps it. An alias with overrides, or in a chain, stays.",
    body={
        "name": "reviewer",
        "kind": "role",
        "default_model": "gpt-5.1",
        "chain": ["fast"],
        "purpose": "Reviews changes",
        "change_reason": REASON,
    },
    patch={"purpose": "Reviews changes before they are merged", "change_reason": "Said more clearly"},
    row={
        "name": "reviewer",
        "kind": "role",
        "variable": "",
        "default_model": "gpt-5.1",
        "infer": True,
        "chain": ["fast"],
        "purpose": "Reviews changes",
        "subsystem": "",
        "tier": "",
        "deadline_s": None,
        "max_context_tokens": None,
        **TIMES,
        "revision": 41,
    },
)
OVERRIDE = Sample(
    a="an",
    named="The number of the override.",
    listed="Those of the key's projects; a key for all projects sees all.",
    created="Of one project, or with project null of all.",
    read="As it is stored, with its ETag.",
    changed="Alias and project stay.",
    archived="It is deleted, and history keeps it; what stands below it on the ladder serves.",
    body={
        "alias": "manager",
        "project": "atlas",
        "model": "gpt-5-mini",
        "expires_at": "2027-02-01T00:00:00Z",
        "reason": "Trial until February",
        "change_reason": "Atlas tries another manager",
        "acknowledge": ["model_retiring"],
    },
    patch={"enabled": False, "change_reason": "The trial is over"},
    row={
        "id": "12",
        "alias": "manager",
        "project": "atlas",
        "model": "gpt-5-mini",
        "enabled": True,
        "infer": True,
        "starts_at": None,
        "expires_at": "2027-02-01T00:00:00.000Z",
        "reason": "Trial until February",
        **TIMES,
        "revision": 41,
    },
)
PROJECT = Sample(
    named="Slug or external id.",
    listed="A key for some projects sees its own.",
    created="As the PUT by external id, which the backend uses, but for an operator's scripts.",
    read="By slug or external id. A key for some projects reads its own.",
    changed="The slug stays.",
    archived="It is disabled: its calls are refused, its rows stay. PATCH enables it again.",
    body={"slug": "maps", "external_id": "p-1", "name": "Maps", "change_reason": "A new team"},
    patch={"owner": "Maps team", "change_reason": "Somebody answers for it"},
    row={
        "external_id": "p-1",
        "slug": "maps",
        "name": "Maps",
        "owner": "Maps team",
        "enabled": True,
        "strict_parameters": False,
        "max_context_tokens": None,
        "max_run_tokens": None,
        **TIMES,
        "revision": 42,
    },
)
UPSTREAM = Sample(
    a="an",
    named="The slug.",
    listed="Those beside the one that the environment defines.",
    created="Only by keys that IW_UPSTREAM_EDITORS names.",
    read="Where it is, and where its key stands; never the key.",
    changed="Only by keys that IW_UPSTREAM_EDITORS names. Another base URL clears the secret reference.",
    archived="It is disabled: its models are passed over. Only by keys that IW_UPSTREAM_EDITORS names.",
    body={
        "slug": "openai-eu",
        "base_url": "https://eu.api.openai.com/v1",
        "secret_ref": "env:IW_UPSTREAM_EU",
        "change_reason": "Calls of European projects stay there",
    },
    patch={"idle_timeout_s": 90, "change_reason": "Its streams pause longer"},
    row={
        "slug": "openai-eu",
        "base_url": "https://eu.api.openai.com/v1",
        "secret_ref": "env:IW_UPSTREAM_EU",
        "connect_timeout_s": 5.0,
        "first_byte_timeout_s": 120.0,
        "idle_timeout_s": 60.0,
        "enabled": True,
        **TIMES,
        "revision": 41,
    },
)
