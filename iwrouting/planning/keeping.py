"""What a plan leaves as it is although it was to go or to change, and why: told beside the plan, never in silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from iwrouting.models.contents import Content
from iwrouting.snapshot.contents import Contents

IN_FORCE = "It is or was in force, and costs were made with it: add a price with a later time instead."
SWITCHED_OFF = "It is switched off: without its row it would be unknown, not barred, and could be called again."
CLEARED = (
    "Its secret reference is cleared, because its base URL changes: a key goes to no other host unseen. Set the "
    "reference in a change of its own."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that stays as it is, or in part, and why."""

    object_type: str
    name: str
    why: str

    def told(self) -> str:
        """One line."""
        return f"{self.object_type} {self.name}: {self.why}"


def why_not_deleted(now: Contents, object_type: str, content: Content, at: datetime) -> str:
    """Why a row has to stay; empty where it may go. References are not looked at: a plan names them."""
    if object_type == "price":
        return IN_FORCE if is_in_force(content, at) else ""
    if object_type == "model":
        return "" if content["enabled"] else SWITCHED_OFF
    if object_type == "project":
        keys = sum(1 for key in now["key"].values() if key["project"] == content["slug"])
        count = "one API key is" if keys == 1 else f"{keys} API keys are"
        return f"{count[0].upper()}{count[1:]} for it: disable it, or delete what is for it first." if keys else ""
    return ""


def is_in_force(price: Content, at: datetime) -> bool:
    """Whether a price is or was in force at a time: from then on it stays as it is."""
    return datetime.fromisoformat(price["valid_from"]) <= at


def without_moved_secret(object_type: str, before: Content, after: Content) -> Content:
    """The content that a save leaves of `after`: a new base URL clears a secret reference that stays the same
    (design.md 9.5)."""
    moved = object_type == "upstream" and before["base_url"] != after["base_url"]
    if moved and after["secret_ref"] and before["secret_ref"] == after["secret_ref"]:
        return {**after, "secret_ref": ""}
    return after
