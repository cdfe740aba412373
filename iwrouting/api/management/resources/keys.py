"""API keys: told once, then known by a hash alone; nobody hands on more than a key has itself (design.md 9.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils import timezone

from iwrouting.api.management.fields import Moment
from iwrouting.api.management.resources.bodies import Names, RowBody, Text, project_name
from iwrouting.api.management.resources.filters import Filters, text, times, unset
from iwrouting.api.management.resources.refusals import refused_field
from iwrouting.api.management.resources.resource import Resource
from iwrouting.errors import Forbidden
from iwrouting.models import ApiKey, new_key
from iwrouting.types import KeyFacts, Scope
from iwrouting.types.faults import ObjectType

LASTS = timedelta(days=365)
OVERLAP = timedelta(hours=24)
SHOWN_ONCE = "text_shown_once"


class KeyRow(RowBody):
    """A key as it is stored, without its hash."""

    key_id = Text(read_only=True, help_text="Public part of the key: iw_<key_id>_...")
    project: Any = project_name(help_text="Slug, or in requests external id: what its calls count for.")
    projects = Names(required=False, help_text='Further projects, by slug; ["*"]: all.')
    expires_at = Moment(required=False, allow_null=True, help_text="In 365 days unless said; null: never.")
    revoked_at = Moment(read_only=True, allow_null=True)
    created_by = Text(read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            "key_id",
            "name",
            "project",
            "projects",
            "scopes",
            "allowed_aliases",
            "allowed_models",
            "expires_at",
            "revoked_at",
            "created_by",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )


class NewKeyRow(KeyRow):
    """A key just made."""

    key = Text(read_only=True, help_text="The key itself: store it now, it is told this once.")

    class Meta:
        model = ApiKey
        fields = (*KeyRow.Meta.fields, "key")


class Keys(Resource):
    """Keys for all projects read all and hand on what they have."""

    called = "API key"
    object_type, path, lookup, body = ObjectType.KEY, "keys", "key_id", KeyRow
    fixed = ("project",)
    joined = ("project",)
    filters: ClassVar[Filters] = {
        "project": text("project__slug", "By slug."),
        "name": text("name"),
        "is_revoked": unset("revoked_at", "true or false."),
        **times("expires_at"),
        **times("created_at"),
    }

    def make(self, key: KeyFacts, values: Mapping[str, Any]) -> ApiKey:
        """A key whose text is told in this answer alone."""
        return fresh(key, {"expires_at": end_of(key, values.get("scopes", ())), **values})

    def check_row(self, key: KeyFacts, row: ApiKey) -> None:
        """Nothing that the caller's own key has not, and no change of itself."""
        if row.key_id == key.key_id:
            raise Forbidden(
                "A key changes nothing about itself: another key does, or an operator in the admin.", code="own_key"
            )
        if row.revoked_at is not None:
            raise refused_field("revoked_at", "revoked", f"iw_{row.key_id} is revoked and stays so. Make a new key.")
        row.clean()
        check_grants(key, row)

    def archive(self, row: ApiKey) -> None:
        """Revoke it, be it stronger than the caller's, or that itself: that takes nothing but power."""
        if row.revoked_at is None:
            row.revoked_at = timezone.now()
            row.save()

    def shown_once(self, row: ApiKey) -> Mapping[str, Any]:
        """The key itself."""
        return {"key": vars(row).pop(SHOWN_ONCE)}

    def reread(self, address: str) -> str:
        """The key itself is told no second time."""
        return (
            f"The key itself was told once, in that answer: if that was lost, POST {address}/rotate makes another with "
            f"the same grants, and DELETE {address} revokes the lost one."
        )


def fresh(caller: KeyFacts, values: Mapping[str, Any]) -> ApiKey:
    """A new row with a key of its own, not saved; its text is in memory alone."""
    made = new_key()
    row = ApiKey(**values, key_id=made.key_id, sha256=made.sha256, created_by=f"iw_{caller.key_id}")
    vars(row)[SHOWN_ONCE] = made.text
    return row


def check_grants(caller: KeyFacts, row: ApiKey) -> None:
    """Raise Forbidden for a key that could do what the caller's own can't, or manage for longer."""
    if _outlasts(caller, row):
        raise Forbidden(
            f"expires_at: a key with the scope manage ends no later than the key that makes it: {caller.expires_at}.",
            code="not_granted",
            param="expires_at",
        )
    for field, beyond in _beyond(caller, row):
        raise Forbidden(
            f"{field}: this key hands on no more than it has itself, and it has not {', '.join(beyond)}.",
            code="not_granted",
            param=field,
        )


def end_of(caller: KeyFacts, scopes: Iterable[str]) -> datetime:
    """When a new key ends that nobody gives an end: one that may manage, no later than the one that makes it."""
    end = timezone.now().replace(microsecond=0) + LASTS
    return min(end, caller.expires_at) if Scope.MANAGE in scopes and caller.expires_at else end


def _outlasts(caller: KeyFacts, row: ApiKey) -> bool:
    if caller.expires_at is None or Scope.MANAGE not in row.scopes:
        return False
    return row.expires_at is None or row.expires_at > caller.expires_at


def _beyond(caller: KeyFacts, row: ApiKey) -> list[tuple[str, list[str]]]:
    projects = {row.project.slug, *_names(row.projects)}
    found = [
        ("scopes", sorted({*_names(row.scopes)} - caller.scopes)),
        ("projects", [] if caller.projects is None else sorted(projects - caller.projects)),
        ("allowed_aliases", _outside(caller.allowed_aliases, row.allowed_aliases)),
        ("allowed_models", _outside(caller.allowed_models, row.allowed_models)),
    ]
    return [(field, beyond) for field, beyond in found if beyond]


def _outside(granted: frozenset[str] | None, names: Any) -> list[str]:
    if granted is None:
        return []
    return ["all of them"] if names is None else sorted({*_names(names)} - granted)


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
