"""The shape of a what-if in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from iwrouting.api.management.fields import Choice
from iwrouting.types import Operation

DOLLARS = "In dollars, exact."


class ProposedRow(serializers.Serializer[Any]):
    """A row that would be made, changed or deleted."""

    operation = Choice(Operation)
    object_type = serializers.CharField()
    name = serializers.CharField()
    changed = serializers.DictField(child=serializers.ListField(), help_text="Old and new value by field.")


class ProposalAnswer(serializers.Serializer[Any]):
    """What was proposed."""

    changes = ProposedRow(many=True)
    refused = serializers.ListField(child=serializers.CharField(), help_text="Why it could not be saved as it is.")
    findings = serializers.ListField(child=serializers.CharField(), help_text="What would have to be acknowledged.")


class TokensAnswer(serializers.Serializer[Any]):
    """Tokens by class, as recorded."""

    prompt_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()


class MoneyAnswer(serializers.Serializer[Any]):
    """A sum of costs, and of how many calls it is known how well."""

    cost_usd = serializers.CharField(help_text=DOLLARS)
    cost_pico = serializers.IntegerField(help_text="Integer pico-dollars, over the exact and estimated calls.")
    exact = serializers.IntegerField()
    estimated = serializers.IntegerField()
    unpriced = serializers.IntegerField()
    none = serializers.IntegerField(help_text="Nothing was sent, or it would be refused.")


class LineAnswer(serializers.Serializer[Any]):
    """Calls of one kind; all but `calls` is of the changed ones."""

    calls = serializers.IntegerField()
    changed = serializers.IntegerField()
    tokens = TokensAnswer()
    before = MoneyAnswer(help_text="As recorded.")
    after = MoneyAnswer(help_text="The same tokens at the other model.")
    compared = serializers.IntegerField(help_text="Calls with a cost on both sides.")
    difference_pico = serializers.IntegerField(help_text="After less before, over the compared calls.")
    difference_usd = serializers.CharField(help_text=DOLLARS)


class AliasLine(LineAnswer):
    """The calls of one alias."""

    alias = serializers.CharField(allow_null=True, help_text="Null: a model was named.")


class ProjectLine(LineAnswer):
    """The calls of one project."""

    project = serializers.CharField(allow_null=True)


class ModelLine(LineAnswer):
    """The calls that change from one model to another."""

    model_before = serializers.CharField(allow_null=True, help_text="Null: refused.")
    model_after = serializers.CharField(allow_null=True, help_text="Null: refused.")


class UnpricedAnswer(serializers.Serializer[Any]):
    """Changed calls whose cost can't be told."""

    model = serializers.CharField()
    reason = serializers.CharField()
    calls = serializers.IntegerField()
    message = serializers.CharField()


class ConflictAnswer(serializers.Serializer[Any]):
    """What calls would have met."""

    kind = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    calls = serializers.IntegerField()
    message = serializers.CharField()
    examples = serializers.ListField(child=serializers.UUIDField(), help_text="Of the newest, at most 5.")


class WhatIfAnswer(serializers.Serializer[Any]):
    """What a change would have done."""

    proposal = ProposalAnswer()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    revision = serializers.IntegerField(help_text="Of the configuration that it is compared with.")
    environment_id = serializers.CharField()
    total = LineAnswer()
    recorded = MoneyAnswer(help_text="Of all calls, as recorded.")
    by_alias = AliasLine(many=True, help_text="With changed calls alone, most first.")
    by_project = ProjectLine(many=True)
    by_model = ModelLine(many=True)
    unpriced = UnpricedAnswer(many=True)
    conflicts = ConflictAnswer(many=True)
    drifted = serializers.IntegerField(help_text="Changed calls that the present configuration changes too.")
    refused = serializers.IntegerField(help_text="Calls that were refused then: not judged.")
    resolves = serializers.IntegerField(help_text="Names resolved without a call.")
    resolves_changed = serializers.IntegerField()
    assumed = serializers.ListField(child=serializers.CharField())
