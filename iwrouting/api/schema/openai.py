"""Bodies of the lean routes, for the OpenAPI document alone: nothing here runs when they are called.

Only what routing reads is described; every other member passes through to the provider and back.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from iwrouting.api.management.fields import Choice, Moment, OptionalChoice, OptionalText
from iwrouting.api.schema.shapes import LadderStepSerializer, RungSerializer, Shape
from iwrouting.types import Kind, Source

MODEL = "An alias (manager, role:manager, mode:deep) or a model id."
AS_OF = "A revision such as 41, or a time: what was true then. Scope `read_audit` or `manage`."
ENVIRONMENT = "With as_of: under the routing variables of then, as a decision names them; else under those of now."


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "array", "items": {"type": "integer"}},
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        ]
    }
)
class EmbeddingInput(serializers.Field[Any, Any, Any, Any]):
    """A text, texts, tokens, or lists of tokens."""


class ChatCompletionRequest(Shape):
    """OpenAI's body of a chat completion. Members that are not listed here pass through."""

    model = serializers.CharField(max_length=256, help_text=MODEL)
    messages = serializers.ListField(child=serializers.DictField(), min_length=1)
    stream = serializers.BooleanField(required=False)
    stream_options = serializers.DictField(required=False)
    n = serializers.IntegerField(required=False, min_value=1, max_value=128)


class ChatCompletionSerializer(Shape):
    """OpenAI's chat completion, as the provider sent it."""

    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField()
    model = serializers.CharField(help_text="The model that served.")
    choices = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField(required=False)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]})
class ResponseInput(serializers.Field[Any, Any, Any, Any]):
    """A text, or items."""


class ResponsesRequest(Shape):
    """OpenAI's body of a response. Members that are not listed here pass through."""

    model = serializers.CharField(max_length=256, help_text=MODEL)
    input = ResponseInput(required=False)
    instructions = serializers.CharField(required=False, allow_null=True)
    stream = serializers.BooleanField(required=False)
    stream_options = serializers.DictField(required=False)
    background = serializers.BooleanField(required=False)
    store = serializers.BooleanField(required=False, help_text="The provider's default is true.")
    previous_response_id = serializers.CharField(required=False, allow_null=True)
    tools = serializers.ListField(child=serializers.DictField(), required=False)


class ResponseSerializer(Shape):
    """OpenAI's response, as the provider sent it or translated from chat."""

    id = serializers.CharField()
    object = serializers.CharField()
    created_at = serializers.IntegerField()
    status = serializers.CharField()
    model = serializers.CharField(help_text="The model that served.")
    output: Any = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField(required=False, allow_null=True)


class DeletedSerializer(Shape):
    """What is left of a response."""

    id = serializers.CharField()
    object = serializers.CharField()
    deleted = serializers.BooleanField()


class InputItemsSerializer(Shape):
    """OpenAI's list of items."""

    object = serializers.CharField()
    data: Any = serializers.ListField(child=serializers.DictField())
    first_id = OptionalText(required=False)
    last_id = OptionalText(required=False)
    has_more = serializers.BooleanField()


class EmbeddingsRequest(Shape):
    """OpenAI's body of an embeddings request. Over the limits it is cut into batches and joined again."""

    model = serializers.CharField(max_length=256, help_text="The alias embedding, or a model id.")
    input = EmbeddingInput()


class EmbeddingsSerializer(Shape):
    """OpenAI's list of vectors, in the order of the input."""

    object = serializers.CharField()
    model = serializers.CharField()
    data: Any = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField(required=False)


class RoutingSerializer(Shape):
    """What an alias comes to."""

    kind = Choice(Kind)
    model = serializers.CharField(required=False)
    source: Any = Choice(Source, required=False)
    chain = RungSerializer(many=True, required=False)
    purpose = serializers.CharField(required=False, allow_blank=True)
    warnings = serializers.ListField(child=serializers.CharField(), required=False)
    fault = serializers.CharField(required=False, help_text="Why it can't serve.")


class ModelEntrySerializer(Shape):
    """One name that the key may ask for."""

    id = serializers.CharField()
    object = serializers.ChoiceField(["model"])
    created = serializers.IntegerField()
    owned_by = serializers.CharField()
    routing = RoutingSerializer(required=False, help_text="Of aliases only.")
    shutdown_date = serializers.DateField(required=False, allow_null=True, help_text="Of models only.")


class ModelList(Shape):
    """Aliases first, then models."""

    object = serializers.ChoiceField(["list"])
    data: Any = ModelEntrySerializer(many=True)


class ResolveRequest(Shape):
    """What is to be resolved: `alias`, or `aliases`."""

    alias = serializers.CharField(required=False, help_text=MODEL)
    aliases = serializers.ListField(child=serializers.CharField(), required=False, min_length=1, max_length=64)
    project = serializers.CharField(required=False, help_text="Slug or external id; wins over x-iw-project.")
    messages = serializers.ListField(child=serializers.DictField(), required=False, help_text="For auto.")
    features = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="For auto, in the place of messages."
    )
    dry_run = serializers.BooleanField(required=False, help_text="True: no row in the audit.")
    as_of: Any = serializers.CharField(required=False, help_text=f"{AS_OF} Only with dry_run.")
    environment_id = serializers.CharField(required=False, help_text=ENVIRONMENT)


class MomentSerializer(Shape):
    """The moment that was asked for."""

    revision = serializers.IntegerField(help_text="The revision in force then.")
    at = Moment(help_text="By which starts and ends of overrides were judged.")


class ResolutionSerializer(Shape):
    """Which model, and why."""

    decision_id = serializers.UUIDField(allow_null=True, help_text="Null where nothing was recorded.")
    alias = OptionalText()
    kind = OptionalChoice(Kind)
    inferred_mode = OptionalText()
    reason = OptionalText()
    features = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    model = serializers.CharField()
    upstream = serializers.CharField()
    source: Any = Choice(Source)
    ladder = LadderStepSerializer(many=True)
    chain = RungSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
    revision = serializers.IntegerField()
    environment_id = serializers.CharField()
    ttl_s = serializers.IntegerField(help_text="Seconds for which the answer may be kept.")
    as_of = MomentSerializer(required=False, help_text="Only where another moment was asked for.")


class ResolutionList(Shape):
    """The answer for `aliases`."""

    resolutions = ResolutionSerializer(many=True)


RESOLVED = PolymorphicProxySerializer("ResolveAnswer", [ResolutionSerializer, ResolutionList], None)


class HealthSerializer(Shape):
    """Alive."""

    status = serializers.ChoiceField(["ok"])


class ReadinessSerializer(Shape):
    """Whether calls can be served, and what an operator should know."""

    status = serializers.ChoiceField(["ready", "degraded", "unavailable"])
    faults = serializers.ListField(child=serializers.CharField(), help_text="Why no call can be served.")
    version = serializers.CharField()
    revision = serializers.IntegerField()
    environment_id = serializers.CharField()
    catalogue_version = serializers.CharField()
    upstream = serializers.CharField(help_text="The upstream that the environment defines.")
    snapshot = serializers.DictField()
    audit = serializers.DictField()
    breakers = serializers.ListField(child=serializers.DictField(), help_text="Those that are not closed.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="Dead and dying models in use.")
