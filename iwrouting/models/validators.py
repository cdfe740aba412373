"""Checks that several configuration rows share."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from iwrouting.conf.environment import MODEL_ID, ROUTING_VARIABLE

validate_model_id = RegexValidator(
    re.compile(rf"\A(?:{MODEL_ID.pattern})\Z"),
    "Enter a model id such as gpt-4.1: letters, digits and ._:/@+-, at most 128 characters.",
)
validate_alias_name = RegexValidator(
    re.compile(r"\A[a-z][a-z0-9_]{0,63}\Z"),
    "Enter a name of lower-case letters, digits and underscores that starts with a letter, such as worker_code.",
)
validate_variable = RegexValidator(
    re.compile(rf"\A(?:{ROUTING_VARIABLE.pattern})\Z"),
    "Enter OPENAI_MODEL_<NAME> or OPENAI_EMBEDDING_MODEL; an alias may read no other variable.",
)
validate_free_id = RegexValidator(
    re.compile(r"\A[A-Za-z0-9._:/-]{1,128}\Z"),
    "Enter at most 128 characters of letters, digits and ._:/-",
)


def validate_names(value: object) -> None:
    """A JSON list of non-empty strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValidationError('Enter a JSON list of names such as ["auto", "fast"].')


def refuse_other_case(row: models.Model, slug: str) -> None:
    """Raise ValidationError for a slug that another row has in other letter case: nobody could tell the two apart."""
    others = type(row)._default_manager.exclude(slug=slug).filter(slug__iexact=slug)
    if other := others.values_list("slug", flat=True).first():
        text = (
            f"{slug!r} differs from the {row._meta.verbose_name} {other!r} by letter case alone: use that, or another."
        )
        raise ValidationError({"slug": ValidationError(text, code="unique")})
