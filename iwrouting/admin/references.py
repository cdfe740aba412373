"""Links from a decision's page to what it names: overrides, aliases, models, the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils.safestring import SafeString

from iwrouting.admin.show import NOTHING, admin_url, link
from iwrouting.models import Alias, Model

NUMBERED = re.compile(r"override:([0-9]{1,18})")
USAGE_OF = re.compile(r"usage of decision ([0-9a-f-]{36})")
QUARANTINED = re.compile(r"quarantined:([0-9a-f-]{36})")
NAMED = re.compile(r'"(alias|model):([^"\\]{1,128})"')


class References:
    """Where the stored references of one decision lead, for one person: only to pages that they may see.

    A reference is `quarantined:<row>`, `override:<row>`, `alias:<name>`, `model:<id>`, `environment:<id>`, a variable's
    name, or the reason of a usage, which names its call. Names are looked up once, in two queries; what no longer
    exists stays text.
    """

    def __init__(self, user: Any, texts: Iterable[str], environment_id: str) -> None:
        self.user: AbstractUser | AnonymousUser = user
        self.environment_id = environment_id
        named = {found for text in texts for found in NAMED.findall(text)}
        aliases = Alias.objects.filter(name__in=[name for kind, name in named if kind == "alias"])
        models = Model.objects.filter(model_id__in=[name for kind, name in named if kind == "model"])
        self.pages = {f"alias:{name}": ("alias", pk) for name, pk in aliases.values_list("name", "pk")}
        self.pages |= {f"model:{name}": ("model", pk) for name, pk in models.values_list("model_id", "pk")}

    def link(self, reference: str) -> SafeString | str:
        """The reference as a link, or as text."""
        if numbered := NUMBERED.fullmatch(reference):
            return self._link("override", numbered[1], reference)
        if usage := USAGE_OF.fullmatch(reference):
            return self._link("decision", usage[1], reference)
        if kept_out := QUARANTINED.fullmatch(reference):
            return self._link("quarantinedrow", kept_out[1], "row")
        if reference in self.pages:
            return self._link(*self.pages[reference], reference)
        if reference.startswith("environment:"):
            return self._link("environmentsnapshot", self.environment_id, self.environment_id or NOTHING)
        if reference.startswith("OPENAI_"):
            return self._link("environmentsnapshot", self.environment_id, reference)
        return reference

    def _link(self, model: str, pk: object, text: str) -> SafeString | str:
        allowed = self.user.has_perm(f"iwrouting.view_{model}") or self.user.has_perm(f"iwrouting.change_{model}")
        return link(admin_url(model, "change", pk), text) if allowed and pk else text
