"""Refuse a model that can't do an alias's work: chat models for vectors, and the other way round (G4)."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from iwrouting.models import Model
from iwrouting.types import Endpoint, Kind


def refuse_unfit(kind: str, model_id: str) -> None:
    """Raise ValidationError where the catalogue knows that the model serves no endpoint of this kind of alias.

    A model that the catalogue does not hold passes: cautious rules apply to it (design.md 4).
    """
    endpoints = Model.objects.filter(model_id=model_id).values_list("endpoints", flat=True).first()
    if endpoints is None:
        return
    embeds = Endpoint.EMBEDDINGS in endpoints
    if kind == Kind.EMBEDDING and not embeds:
        raise ValidationError(f"{model_id} makes no embeddings: choose a model with the endpoint embeddings.")
    if kind != Kind.EMBEDDING and set(endpoints) == {Endpoint.EMBEDDINGS}:
        raise ValidationError(f"{model_id} makes embeddings only: choose a model with the endpoint chat or responses.")
