"""Vectors of different spaces do not mix: an embedding alias keeps to one (openai-facts.md 6)."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from iwrouting.models import Model
from iwrouting.types import Kind

Space = tuple[str, int | None]


def refuse_other_space(kind: str, old: str, new: str) -> None:
    """Raise ValidationError that says what would break where `new` surely makes other vectors than `old`."""
    before, after = _space(old), _space(new)
    if kind != Kind.EMBEDDING or not old or old == new or not _differ(before, after):
        return
    raise ValidationError(
        f"{new} makes other vectors ({_told(after)}) than {old} ({_told(before)}), which serves now. Vectors that are "
        "stored already would no longer match new ones, and searches would find the wrong texts without an error. "
        f"Keep {old}; or add an alias of kind embedding with {new}, embed the stored texts again through it, and let "
        "callers ask for that alias."
    )


def space_doubt(kind: str, old: str, new: str) -> str:
    """The warning where nobody knows whether the two share a space; empty otherwise."""
    if kind != Kind.EMBEDDING or not old or old == new:
        return ""
    before, after = _space(old), _space(new)
    if _differ(before, after) or (before[0] and after[0]):
        return ""
    return (
        f"Not known whether {new} makes the same vectors as {old}: if not, stored vectors no longer match new ones. "
        "The vector space of a model stands on its page."
    )


def _space(model: str) -> Space:
    row = Model.objects.filter(model_id=model).first()
    return (row.vector_space, row.dimensions) if row else ("", None)


def _differ(before: Space, after: Space) -> bool:
    spaces = bool(before[0] and after[0] and before[0] != after[0])
    widths = before[1] is not None and after[1] is not None and before[1] != after[1]
    return spaces or widths


def _told(space: Space) -> str:
    name, width = space
    return f"space {name or 'not known'}, {f'{width:,} wide' if width else 'width not known'}"
