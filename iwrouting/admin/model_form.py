"""The form of a model: what it is, what it takes, how it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django import forms

from iwrouting.admin.fields import WIDE, ChecksField, NamesField, WordField, tier_field
from iwrouting.admin.typed import TypedForm
from iwrouting.models import Model
from iwrouting.types import EFFORTS, HOSTED_TOOLS, MODALITIES, PARAMETERS, Endpoint

ONE_EACH = "One a line, or separated by commas."

FIELDSETS: Any = (
    (None, {"fields": ("model_id", "enabled", "upstream", "endpoints", "lifecycle", "used_by")}),
    ("Prices", {"fields": ("prices",)}),
    (
        "Windows and input",
        {
            "fields": ("context_window", "max_input", "max_output", "input_modalities"),
            "description": "What is empty is not known, and then nothing is refused, clamped or passed over for it.",
        },
    ),
    (
        "Reasoning",
        {
            "fields": ("reasoning", "efforts", "default_effort", "effort_for_tools"),
            "description": "An effort that it does not take is mapped to the nearest one that it takes, and told.",
        },
    ),
    (
        "Parameters",
        {
            "fields": ("sampling", "refused_params", "completion_cap_param", "hosted_tools"),
            "description": "Requests are adapted by these, each change told in x-iw-changes; a project with strict "
            "parameters gets a refusal instead.",
        },
    ),
    (
        "Vectors",
        {
            "fields": ("dimensions", "vector_space"),
            "description": "For models with the endpoint embeddings alone. Models of one space may serve one store.",
        },
    ),
    ("Life", {"fields": ("shutdown_date", "replacement", "tier", "checked_on", "source")}),
)


class ModelForm(TypedForm[Model]):
    """Lists without JSON, known words as boxes."""

    endpoints = ChecksField([endpoint.value for endpoint in Endpoint], help_text="What it serves.")
    input_modalities = NamesField(
        empty=[], rows=2, help_text=f"What it reads: {', '.join(sorted(MODALITIES))}. {ONE_EACH} Empty: not known."
    )
    efforts = ChecksField(
        list(EFFORTS), required=False, help_text="Reasoning efforts that it takes. None ticked: not known."
    )
    default_effort = WordField(EFFORTS, none="not known", help_text="Its reasoning effort when none is asked.")
    effort_for_tools = WordField(
        EFFORTS,
        none="any",
        help_text="The only effort with which it takes function tools on chat. With another one such a chat goes "
        "translated to its endpoint responses, or, where it has none, is set to this effort.",
    )
    refused_params = NamesField(
        empty=[],
        rows=3,
        help_text="Parameters that it refuses, by their chat names, such as stop or verbosity; function_tools for "
        f"function tools. {ONE_EACH} They are dropped and told.",
    )
    hosted_tools = NamesField(
        empty=None,
        rows=2,
        help_text="All of the provider's own tools that it takes on responses, such as web_search; a request with "
        f"another one passes it over. {ONE_EACH} Empty: not known.",
    )
    tier = tier_field("Cost tier.")

    class Meta:
        model = Model
        fields = "__all__"
        widgets = {"source": forms.TextInput(attrs={"size": WIDE})}
        help_texts = {
            "model_id": "The provider's id, as sent to it. Fixed once saved: the audit names it.",
            "prices": "In force now, in dollars per 1M tokens: input, cached input, cache writes, output.",
            "lifecycle": "Warnings here never stop a call.",
            "used_by": "Aliases with it as default, in their chain, or in an override.",
        }


def doubts(model: Model) -> Iterator[str]:
    """What may be a slip of the pen in a saved model: names that nobody knows here."""
    for words, names, known in (
        ("parameter", model.refused_params, PARAMETERS),
        ("kind of input", model.input_modalities, MODALITIES),
        ("hosted tool", model.hosted_tools or [], HOSTED_TOOLS),
    ):
        if unknown := sorted(set(names) - known):
            yield f"No {words} named {', '.join(unknown)} is known here: known are {_listed(known)}."
    if model.replacement and not Model.objects.filter(model_id=model.replacement).exists():
        yield f"The replacement {model.replacement} is not in the catalogue yet: add it before you switch to it."


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words))
