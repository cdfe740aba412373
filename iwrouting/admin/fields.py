"""Form fields: names as lines instead of JSON, prices in dollars per 1M tokens, model ids with suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from iwrouting.admin.show import per_million
from iwrouting.catalogue import pico
from iwrouting.models import Model
from iwrouting.types import TIERS

WIDE = 80
"""Characters of a box for a sentence."""

SEPARATOR = re.compile(r"(?:\s|,|;|->|→)+")


class NamesField(forms.CharField):
    """A list of names, written one a line or separated by commas. `empty` is what no name at all becomes."""

    def __init__(self, *, empty: list[str] | None, rows: int = 3, **kwargs: Any) -> None:
        self.empty = empty
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": rows, "cols": 40}), **kwargs)

    def to_python(self, value: Any) -> Any:
        """The names in their order."""
        return [name for name in SEPARATOR.split(str(value or "")) if name] or self.empty

    def prepare_value(self, value: Any) -> Any:
        """The text to edit."""
        return "\n".join(str(name) for name in value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the names, or their order, are others."""
        return bool((initial or self.empty) != self.to_python(data))


class ChecksField(forms.MultipleChoiceField):
    """A list of known words, as check boxes; `words` is also their stored order."""

    def __init__(self, words: list[str], **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], widget=forms.CheckboxSelectMultiple, **kwargs)


class WordField(forms.ChoiceField):
    """One of some known words, or none."""

    def __init__(self, words: Iterable[str], *, none: str, **kwargs: Any) -> None:
        choices = [("", none), *((word, word) for word in words)]
        super().__init__(choices=choices, required=False, **kwargs)


class PriceField(forms.DecimalField):
    """A price in dollars per 1M tokens, stored as whole pico-dollars a token: exact to six decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            min_value=0,
            max_digits=12,
            decimal_places=6,
            error_messages={"max_decimal_places": "Enter at most 6 decimals: finer prices can't be stored exactly."},
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        """Pico-dollars a token, or None."""
        dollars: Decimal | None = super().clean(value)
        return pico(dollars)

    def prepare_value(self, value: Any) -> Any:
        """The price to edit."""
        return per_million(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether it is another price; `2` and `2.00` are the same."""
        return super().has_changed(None if initial is None else Decimal(per_million(initial)), data)


class ModelIdInput(forms.TextInput):
    """A text box that suggests the catalogue's models; any other id may be typed."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The box with its list of suggestions."""
        own = f"models-for-{name}"
        box = super().render(name, value, {**(attrs or {}), "list": own}, renderer)
        ids = Model.objects.filter(enabled=True).values_list("model_id")
        return format_html(
            '{}<datalist id="{}">{}</datalist>', box, own, format_html_join("", '<option value="{}"></option>', ids)
        )


def model_id_field(help_text: str, label: str = "Model", size: int = 40) -> forms.CharField:
    """The field of a model id."""
    return forms.CharField(
        label=label, max_length=128, help_text=help_text, widget=ModelIdInput(attrs={"size": size, "aria-label": label})
    )


def tier_field(help_text: str) -> forms.ChoiceField:
    """The field of a cost tier."""
    choices = [("", "not set"), *((tier, tier) for tier in TIERS)]
    return forms.ChoiceField(choices=choices, required=False, help_text=help_text)
