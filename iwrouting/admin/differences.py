"""What a change did, or would do, to rows of the configuration, as the pages show it. Everything is escaped there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from iwrouting.admin.show import NOTHING, admin_url, badge, link
from iwrouting.models.contents import HIDDEN, OBJECT_TYPES, Content, differences
from iwrouting.planning import PlannedRow
from iwrouting.types import Operation

WORDS = {word: model._meta.model_name or "" for model, word in OBJECT_TYPES.items()}
"""The names of the pages of each kind of rows."""

TITLES = {word: str(model._meta.verbose_name_plural) for model, word in OBJECT_TYPES.items()}
TONES = {Operation.CREATE: "good", Operation.CHANGE: "warn", Operation.DELETE: "bad", Operation.SAME: "plain"}
LONGEST = 80
"""Characters of a value in a list; a page of one revision shows all."""

LIST = "iwrouting_change_changelist"


@dataclass(frozen=True)
class ShownField:
    """One field of a row, before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class ShownRow:
    """One row for the templates: what it is, what became of it, and where it can be looked at and brought back."""

    object_type: str
    object_id: int
    name: str
    operation: SafeString
    fields: tuple[ShownField, ...]
    title: SafeString | str
    history: str
    restore: str = ""


def shown_row(
    user: Any,
    object_type: str,
    object_id: int,
    name: str,
    operation: str,
    before: Content | None,
    after: Content | None,
) -> ShownRow:
    """A row between two contents, for a person: with links to pages that they may see."""
    word = Operation(operation)
    changed = differences(before, after)
    is_there = word is not Operation.DELETE and object_id > 0
    return ShownRow(
        object_type,
        object_id,
        name,
        badge(word, TONES[word]),
        tuple(shown_fields(changed)),
        page_of(user, object_type, object_id, name) if is_there else name,
        history_of(user, object_type, object_id),
    )


def planned_row(user: Any, row: PlannedRow) -> ShownRow:
    """A row of a plan."""
    return shown_row(user, row.object_type, row.object_id, row.name, row.operation, row.before, row.after)


def shown_fields(changed: Mapping[str, Any]) -> Iterable[ShownField]:
    """The fields of `{field: [before, after]}`, without those that no page shows."""
    for name, (before, after) in visible(changed).items():
        yield ShownField(name, as_text(before), as_text(after))


def visible(changed: Mapping[str, Any]) -> dict[str, Any]:
    """What of a content, or of its differences, may be shown."""
    return {name: value for name, value in changed.items() if name not in HIDDEN}


def as_text(value: Any) -> str:
    """A value of a content as people read it; a dash for none, "" for an empty text."""
    if value is None:
        return NOTHING
    if value == "":
        return '""'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return str(value)


def shortened(text: str) -> str:
    """A value that fits into a list."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def page_of(user: Any, object_type: str, object_id: int, name: str) -> SafeString | str:
    """The name as a link to the row's page, for who may see it."""
    model = WORDS[object_type]
    allowed = user.has_perm(f"iwrouting.view_{model}") or user.has_perm(f"iwrouting.change_{model}")
    return link(admin_url(model, "change", object_id), name) if allowed else name


def may_write(user: Any, object_type: str) -> bool:
    """Whether a person may write rows of a kind in any way."""
    return any(user.has_perm(f"iwrouting.{action}_{WORDS[object_type]}") for action in ("add", "change", "delete"))


def history_of(user: Any, object_type: str, object_id: int) -> str:
    """The address of the change list of one row, for who may see it; else empty."""
    if object_id <= 0 or not user.has_perm("iwrouting.view_change"):
        return ""
    return f"{reverse(f'admin:{LIST}')}?{urlencode({'object': f'{object_type}:{object_id}'})}"
