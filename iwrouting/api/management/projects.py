"""Projects that the backend makes at run time: idempotent by external id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from rest_framework import serializers

from iwrouting.api.management.resources.bodies import KnownFields, Switch, Text, Whole
from iwrouting.api.management.resources.refusals import not_granted
from iwrouting.api.management.resources.writing import WAIT_S, check_match, read_asked, row_of
from iwrouting.calls.caller import FREE_ID
from iwrouting.errors import BadRequest
from iwrouting.models import OpenChange, Project, change
from iwrouting.models.busy import wait_briefly
from iwrouting.types import KeyFacts, Via
from iwrouting.types.faults import ObjectType

SLUG_LENGTH = 64


class ProjectBody(KnownFields):
    """What may be said of a project. A field left out keeps its value; on a new project it is empty, `enabled` true."""

    slug = serializers.SlugField(
        max_length=SLUG_LENGTH, required=False, help_text="Of a new project; made of the external id if left out."
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    owner = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Who answers for it.")
    enabled = Switch(required=False, help_text="False: its calls are refused with 403.")
    strict_parameters = Switch(required=False, help_text="True: requests are refused where they would be adapted.")
    max_context_tokens = Whole(
        required=False, allow_null=True, min_value=1, help_text="Most tokens of input in a call."
    )
    max_run_tokens = Whole(required=False, allow_null=True, min_value=1, help_text="Most tokens of all calls of a run.")
    change_reason = Text(required=False, help_text="Why; or the header x-change-reason. It needs none.")


def put_project(
    key: KeyFacts, external_id: str, said: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[Project, bool, OpenChange | None]:
    """Make or change a project, and tell whether it is new, and by which change. What is so already raises no revision.

    `said` is a checked ProjectBody. Raises BadRequest (400, 409 for a slug that can't be had, 412) or Forbidden.
    """
    check_external_id(external_id)
    asked = read_asked(said, headers, f"PUT of the project {external_id}")
    fields, match = row_of(said), headers.get("if-match", "")
    found = Project.objects.filter(external_id=external_id).first()
    check_grant(key, external_id, found)
    if found is not None and not match and not _differs(found, fields):
        return found, False, None
    # A change locks the counter: two that make the same project wait here for each other. Nobody is in front of it
    # who could acknowledge findings: they are noted.
    with transaction.atomic():
        wait_briefly(WAIT_S)
        with change(author=f"iw_{key.key_id}", via=Via.API, reason=asked.reason) as made:
            row, is_new = _written(key, external_id, fields, match)
    return row, is_new, made


def _written(key: KeyFacts, external_id: str, said: Mapping[str, Any], match: str) -> tuple[Project, bool]:
    found = Project.objects.filter(external_id=external_id).first()
    check_grant(key, external_id, found)
    if match:
        check_put_match(match, found, said)
    row = found or _new(external_id, said)
    if found is None or _differs(row, said):
        for name, value in said.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
    return row, found is None


def check_put_match(match: str, found: Project | None, said: Mapping[str, Any]) -> None:
    """Raise BadRequest, 412, unless the project stands as the caller has read it."""
    if found is None:
        raise BadRequest("If-Match: there is no such project yet.", code="stale", param="if-match", status=412)
    check_match(match, ObjectType.PROJECT, found, said, needed=False)


def _differs(row: Project, said: Mapping[str, Any]) -> bool:
    """Whether a body would change a project. Raises BadRequest for another slug."""
    if said.get("slug", row.slug) != row.slug:
        raise _conflict(
            "slug_fixed",
            "slug",
            f"the project has the slug '{row.slug}', which stays with its decisions; leave it out.",
        )
    return any(getattr(row, name) != value for name, value in said.items())


def _new(external_id: str, said: Mapping[str, Any]) -> Project:
    slug = said.get("slug") or default_slug(external_id)
    if Project.objects.filter(slug=external_id).exists():
        text = f"'{external_id}' is another project's slug. If it is the same one, set its external id in the admin."
        raise _conflict("external_id_taken", "external_id", text)
    # Callers name projects by slug or external id in one header: neither may mean two projects.
    if other := Project.objects.filter(Q(slug__iexact=slug) | Q(external_id=slug)).first():
        note = "" if slug in (other.slug, other.external_id) else f" but for the letter case of '{other.slug}'"
        raise _conflict("slug_taken", "slug", f"'{slug}' is another project's{note}; send another slug.")
    return Project(slug=slug, external_id=external_id)


def default_slug(external_id: str) -> str:
    """A slug made of an external id. Raises BadRequest where nothing of it can stand in one."""
    slug = re.sub(r"[^a-z0-9_]+", "-", external_id.lower())[:SLUG_LENGTH].strip("-")
    if not slug:
        raise BadRequest(f"slug: none can be made of the external id '{external_id}'; send one.", param="slug")
    return slug


def check_external_id(external_id: str) -> None:
    """Raise BadRequest for a text that can be no external id."""
    if not re.fullmatch(FREE_ID, external_id):
        raise BadRequest(
            f"external_id: '{external_id[:80]}' must be at most 128 characters of letters, digits and ._:/-",
            param="external_id",
        )


def check_grant(key: KeyFacts, external_id: str, project: Project | None) -> None:
    """Raise Forbidden unless the key is for all projects, or this one is among its own.

    A restricted key gets the same answer whether the project exists or not.
    """
    if key.projects is None or (project is not None and project.slug in key.projects):
        return
    raise not_granted(external_id)


def _conflict(code: str, field: str, text: str) -> BadRequest:
    message = f"{field}: {text}"
    details = [{"field": field, "code": code, "message": message}]
    return BadRequest(message, code=code, param=field, status=409, should_retry=False, details=details)
