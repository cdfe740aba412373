"""Upstreams: read by keys for all projects, written by those that the deployment names (design.md 9.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from iwrouting.api.management.resources.bodies import RowBody
from iwrouting.api.management.resources.filters import Filters, flag, times
from iwrouting.api.management.resources.resource import Switched
from iwrouting.conf import settings
from iwrouting.errors import Forbidden
from iwrouting.models import Upstream
from iwrouting.types import KeyFacts
from iwrouting.types.faults import ObjectType


class UpstreamRow(RowBody):
    """An upstream as it is stored; `secret_ref` says where its key is, and no answer has the key."""

    class Meta:
        model = Upstream
        fields = (
            "slug",
            "base_url",
            "secret_ref",
            "connect_timeout_s",
            "first_byte_timeout_s",
            "idle_timeout_s",
            "enabled",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )


class Upstreams(Switched):
    """An upstream gets every call that it serves, and a secret of ours: few may say where that goes."""

    called = "upstream"
    object_type, path, lookup, body = ObjectType.UPSTREAM, "upstreams", "slug", UpstreamRow
    fixed = ("slug",)
    filters: ClassVar[Filters] = {"enabled": flag("enabled"), **times("updated_at")}

    def check_said(self, key: KeyFacts, said: Mapping[str, Any]) -> None:
        """The keys of IW_UPSTREAM_EDITORS alone."""
        super().check_said(key, said)
        if key.key_id not in settings().upstream_editors:
            raise Forbidden(
                f"This key may not change upstreams: superusers do it in the admin, and keys that IW_UPSTREAM_EDITORS "
                f"names; this one is {key.key_id}.",
                code="upstream_editors_only",
            )
