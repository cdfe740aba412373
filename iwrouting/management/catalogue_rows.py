"""Rows of models from the catalogue file: new ones, and facts that the file has learned since a row was made."""

from __future__ import annotations

from iwrouting import catalogue
from iwrouting.models import Model

FORMER_SOURCES = frozenset(
    {
        "OpenAI API reference and deprecations pages; LiteLLM price map 1.109.1; genai-prices 0.2.3; models.dev",
        "LiteLLM price map 1.109.1; genai-prices 0.2.3",
    }
)
"""The `source` of rows that an earlier catalogue file made: a row with another one is an operator's own."""

LEARNED = ("refused_params", "efforts", "effort_for_tools", "hosted_tools", "vector_space")
"""Columns that rows of an earlier catalogue file could not fill."""


def model_row(entry: catalogue.CatalogueModel) -> Model:
    """The row of a catalogue entry, not saved."""
    facts = entry.facts
    return Model(
        model_id=facts.id,
        endpoints=sorted(facts.endpoints),
        context_window=facts.context_window,
        max_input=facts.max_input,
        max_output=facts.max_output,
        dimensions=facts.dimensions,
        input_modalities=sorted(facts.input_modalities),
        reasoning=facts.reasoning,
        efforts=list(facts.efforts),
        default_effort=facts.default_effort,
        effort_for_tools=facts.effort_for_tools,
        sampling=facts.sampling.value,
        refused_params=sorted(facts.refused_params),
        hosted_tools=None if facts.hosted_tools is None else sorted(facts.hosted_tools),
        completion_cap_param=facts.completion_cap_param,
        vector_space=facts.vector_space,
        shutdown_date=facts.shutdown_date,
        replacement=facts.replacement,
        tier=entry.tier,
        checked_on=entry.checked_on,
        source=entry.source,
    )


def fill_learned() -> list[tuple[str, list[str]]]:
    """Fill columns that are still empty in rows of an earlier catalogue file. Returns each model with what was filled.

    It happens once for a row: its `source` becomes the new one, so that what an operator clears later stays clear.
    """
    filled = []
    for row in Model.objects.filter(source__in=FORMER_SOURCES):
        entry = catalogue.models().get(row.model_id)
        if entry is None:
            continue
        fresh = model_row(entry)
        names = [name for name in LEARNED if not getattr(row, name) and getattr(fresh, name)]
        for name in (*names, "source", "checked_on"):
            setattr(row, name, getattr(fresh, name))
        row.save()
        filled.append((row.model_id, names))
    return filled
