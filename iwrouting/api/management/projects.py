"""Projects that the backend makes at run time: idempotent by external id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from rest_framework import serializers

from iwrouting.api.management.fields import Moment
from iwrouting.calls.caller import FREE_ID
from iwrouting.errors import BadRequest, Forbidden, UnknownProject
from iwrouting.models import Project, Revision, change
from iwrouting.types import KeyFacts, Via

SLUG_LENGTH = 64


class Switch(serializers.BooleanField):
    """True or false, and no text that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """The value. Raises ValidationError."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ProjectBody(serializers.Serializer[Any]):
    """What may be said of a project. A field left out keeps its value; on a new project it is empty, `enabled` true."""

    slug = serializers.SlugField(
        max_length=SLUG_LENGTH, required=False, help_text="Of a new project; made of the external id if left out."
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    owner = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Who answers for it.")
    enabled = Switch(required=False, help_text="False: its calls are refused with 403.")

    def to_internal_value(self, data: Any) -> Any:
        """The known fields. Raises ValidationError for an unknown one (ux.md 3, Types)."""
        if unknown := sorted(set(data) - set(self.fields)):
            text = f"Unknown field; known are {', '.join(self.fields)}."
            raise serializers.ValidationError({unknown[0]: text}, code="unknown_field")
        return super().to_internal_value(data)


class ProjectAnswer(serializers.Serializer[Any]):
    """A project, and the revision of the configuration that holds it."""

    external_id = serializers.CharField()
    slug = serializers.SlugField()
    name = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    enabled = serializers.BooleanField()
    created_at = Moment()
    updated_at = Moment()
    revision = serializers.SerializerMethodField()

    def get_revision(self, project: Project) -> int:
        """The number."""
        return int(self.context["revision"])


def answer(project: Project, revision: int) -> Mapping[str, Any]:
    """A project as the REST answer."""
    return ProjectAnswer(project, context={"revision": revision}).data


def show_project(key: KeyFacts, external_id: str) -> Mapping[str, Any]:
    """One project. Raises BadRequest, Forbidden or UnknownProject."""
    check_external_id(external_id)
    found = Project.objects.filter(external_id=external_id).first()
    check_grant(key, external_id, found)
    if found is None:
        raise UnknownProject(f"No project with the external id '{external_id}'. PUT makes it.", param="external_id")
    return answer(found, Revision.current())


def put_project(key: KeyFacts, external_id: str, said: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Make or change a project, and tell whether it is new. What is so already raises no revision.

    `said` is a checked ProjectBody. Raises BadRequest (400, or 409 for a slug that can't be had) or Forbidden.
    """
    check_external_id(external_id)
    found = Project.objects.filter(external_id=external_id).first()
    check_grant(key, external_id, found)
    if found is not None and not _differs(found, said):
        return answer(found, Revision.current()), False
    return _write(key, external_id, said)


def _write(key: KeyFacts, external_id: str, said: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    # A change locks the counter: two that make the same project wait here for each other.
    with change(author=f"iw_{key.key_id}", via=Via.API, reason=f"PUT of the project {external_id}"):
        row, made = _written(key, external_id, said)
    return answer(row, Revision.current()), made


def _written(key: KeyFacts, external_id: str, said: Mapping[str, Any]) -> tuple[Project, bool]:
    found = Project.objects.filter(external_id=external_id).first()
    check_grant(key, external_id, found)
    row = found or _new(external_id, said)
    if found is None or _differs(row, said):
        for name, value in said.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
    return row, found is None


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
    raise Forbidden(
        f"This key may not manage the project '{external_id}': it may change its own projects only. "
        "A key for all projects (keys_create --projects '*') makes new ones.",
        code="project_not_granted",
    )


def _conflict(code: str, field: str, text: str) -> BadRequest:
    message = f"{field}: {text}"
    details = [{"field": field, "code": code, "message": message}]
    return BadRequest(message, code=code, param=field, status=409, should_retry=False, details=details)
