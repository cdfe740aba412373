"""Which models there are, and which endpoint each one serves: the catalogue's facts as the provider's refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from iwrouting import catalogue
from iwrouting.catalogue import CatalogueModel
from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused
from iwrouting.types import ModelFacts

CREATED = 1_700_000_000
"""The `created` of every model: the catalogue has no such date."""

DEFAULT_DIMENSIONS = 1536


class Models:
    """The catalogue's models as of a day; None: nothing is retired."""

    def __init__(self, as_of: date | None) -> None:
        self._models = catalogue.models()
        self._as_of = as_of

    def find(self, name: str) -> CatalogueModel:
        """The model. Refused with 404 `model_not_found` when it is unknown, or shut down by the day asked for.

        `ft:<model>:<anything>` is a fine-tuned model of that one: it behaves alike under its own name.
        """
        tuned = name.split(":") if name.startswith("ft:") else ()
        model = self._models.get(tuned[1] if len(tuned) > 2 else name)
        if model is None:
            message = f"The model `{name[:200]}` does not exist or you do not have access to it."
            raise Refused(404, message, code="model_not_found")
        if self._retired(model.facts):
            message = f"The model `{name}` has been deprecated and does not exist any more."
            raise Refused(404, message, code="model_not_found")
        return replace(model, facts=replace(model.facts, id=name)) if tuned else model

    def for_chat(self, name: str) -> ModelFacts:
        """The facts of a chat model. Refused: a Responses-only model (openai-facts.md 0), an embedding model."""
        facts = self.find(name).facts
        if "chat" in facts.endpoints:
            return facts
        if "responses" in facts.endpoints:
            message = "This model is only supported in v1/responses and not in v1/chat/completions."
        else:
            message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
        raise Refused(404, message, param="model")

    def for_responses(self, name: str) -> ModelFacts:
        """The facts of a model of the Responses API. Refused: any other."""
        facts = self.find(name).facts
        if "responses" in facts.endpoints:
            return facts
        message = f"The requested model '{name}' cannot be used with the Responses API."
        raise Refused(400, message, param="model", code="unsupported_model")

    def for_embeddings(self, name: str) -> tuple[ModelFacts, int]:
        """The facts and the vector width of an embedding model. Refused with 403: any other."""
        model = self.find(name)
        if "embeddings" in model.facts.endpoints:
            return model.facts, model.facts.dimensions or DEFAULT_DIMENSIONS
        raise Refused(403, "You are not allowed to generate embeddings from this model")

    def listing(self) -> Json:
        """The answer of `GET /v1/models`."""
        shown = (model.facts for model in self._models.values())
        return {"object": "list", "data": [self.entry(facts) for facts in shown if not self._retired(facts)]}

    @staticmethod
    def entry(facts: ModelFacts) -> Json:
        """One model object, with `shutdown_date` as the provider gives it (openai-facts.md 1a)."""
        shutdown = facts.shutdown_date
        return {
            "id": facts.id,
            "object": "model",
            "created": CREATED,
            "owned_by": "sandbox",
            "shutdown_date": shutdown.isoformat() if shutdown else None,
        }

    def _retired(self, facts: ModelFacts) -> bool:
        if self._as_of is None or facts.shutdown_date is None:
            return False
        return facts.shutdown_date <= self._as_of
