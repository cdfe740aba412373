"""API keys: random, shown once, stored as a hash (design.md 9.4).

A key is `iw_<id>_<64 hex><8 hex of CRC-32>`: the id is public and stands in the audit, the checksum tells a
mistyped key from an unknown one without a look-up.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models

from iwrouting.models.base import ConfigModel
from iwrouting.models.projects import Project
from iwrouting.models.validators import validate_names
from iwrouting.types import DEFAULT_SCOPES, Scope

ALL_PROJECTS = "*"
_FORM = re.compile(r"iw_[0-9a-f]{10}_[0-9a-f]{72}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `text` is the secret: give it to its owner once and forget it."""

    text: str
    key_id: str
    sha256: str


def new_key() -> NewKey:
    """Make a key of 32 random bytes."""
    body = f"iw_{secrets.token_hex(5)}_{secrets.token_hex(32)}"
    text = body + _checksum(body)
    return NewKey(text=text, key_id=text[3:13], sha256=hash_key(text))


def hash_key(text: str) -> str:
    """What is stored of a key. Fast on purpose: the key is random, not a password (stack.md 1, API keys)."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def well_formed(text: str) -> bool:
    """Whether a text can be one of our keys at all."""
    return bool(_FORM.fullmatch(text)) and _checksum(text[:-8]) == text[-8:]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def default_scopes() -> list[str]:
    """The scopes of a key that names none."""
    return sorted(DEFAULT_SCOPES)


class ApiKey(ConfigModel):
    """A caller's key: what it may do, and for which projects."""

    key_id = models.CharField("id", max_length=16, unique=True, editable=False, help_text="Public part of the key.")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(max_length=200, help_text="Who or what uses it.")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="keys", help_text="The project that its calls count for."
    )
    projects = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_names],
        help_text='Further projects that it may name by x-iw-project: slugs, or ["*"] for all.',
    )
    scopes = models.JSONField(
        default=default_scopes, validators=[validate_names], help_text="Any of resolve, call, read_audit, manage."
    )
    allowed_aliases = models.JSONField(
        null=True, blank=True, default=None, validators=[validate_names], help_text="Empty: all aliases."
    )
    allowed_models = models.JSONField(
        null=True,
        blank=True,
        default=None,
        validators=[validate_names],
        help_text="Empty: what its aliases reach, and every enabled catalogue model. A list filters every rung.",
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Refused from then on (UTC).")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Refused from then on (UTC). Set by Revoke.")
    created_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("project__slug", "name")
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"iw_{self.key_id} ({self.name})"

    def clean(self) -> None:
        """Refuse unknown scopes and projects."""
        known = {scope.value for scope in Scope}
        scopes = set(self.scopes if isinstance(self.scopes, list) else [])
        if not scopes or not scopes <= known:
            unknown = ", ".join(repr(str(each)[:40]) for each in sorted(scopes - known, key=str))
            instead = f"No such scope: {unknown}. " if unknown else ""
            raise ValidationError({"scopes": f"{instead}Choose at least one of {', '.join(sorted(known))}."})
        named = set(self.projects if isinstance(self.projects, list) else []) - {ALL_PROJECTS}
        missing = named - set(Project.objects.filter(slug__in=named).values_list("slug", flat=True))
        if missing:
            raise ValidationError({"projects": f"No such project: {', '.join(sorted(missing))}."})
