"""Aliases: what callers ask for."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError, QuerySet

from iwrouting.api.management.fields import Choice
from iwrouting.api.management.resources.bodies import RowBody
from iwrouting.api.management.resources.resource import Resource, check_alias, check_models
from iwrouting.models import Alias
from iwrouting.types import KeyFacts, Kind
from iwrouting.types.faults import ObjectType

MOST_TOLD = 5


class AliasRow(RowBody):
    """An alias as it is stored."""

    kind = Choice(Kind, help_text="Stays once the alias exists.")

    class Meta:
        model = Alias
        fields = (
            "name",
            "kind",
            "variable",
            "default_model",
            "infer",
            "chain",
            "purpose",
            "subsystem",
            "tier",
            "deadline_s",
            "max_context_tokens",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )


class Aliases(Resource):
    """All keys see those that they may ask for; keys for all projects change them."""

    called = "alias"
    object_type, path, lookup, body = ObjectType.ALIAS, "aliases", "name", AliasRow
    fixed = ("name", "kind")

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """Those that the key may ask for."""
        every = self.every()
        return every if key.allowed_aliases is None else every.filter(name__in=key.allowed_aliases)

    def check_row(self, key: KeyFacts, row: Alias) -> None:
        """No alias and no model beyond the key's own."""
        check_alias(key, row.name)
        names = row.chain if isinstance(row.chain, list) else []
        rungs = {name for name in names if not Alias.objects.filter(name=name).exists()}
        check_models(key, row.default_model, *rungs)

    def archive(self, row: Alias) -> None:
        """Delete it; history keeps it. Raises ProtectedError while it has overrides, which would go with it."""
        overrides = row.overrides.select_related("project")
        names = [f"{each.pk} ({each.project or 'all projects'})" for each in overrides[: MOST_TOLD + 1]]
        if names:
            more = " and more" if len(names) > MOST_TOLD else ""
            text = f"The alias {row.name} has overrides: archive {', '.join(names[:MOST_TOLD])}{more} first."
            raise ProtectedError(text, {row})
        super().archive(row)
