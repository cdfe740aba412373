"""What refuses a change of the configuration, as the API answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import OperationalError
from django.db.models import ProtectedError
from rest_framework import exceptions
from rest_framework.serializers import as_serializer_error

from iwrouting.api.failures import as_routing_error
from iwrouting.errors import BadRequest, Forbidden, NotFound, RoutingError, Unavailable
from iwrouting.models import ChangedBySql
from iwrouting.models.busy import BUSY, is_busy
from iwrouting.planning.refused import ChangeRefused
from iwrouting.types.faults import Fault, Finding

CONFLICT = 409
TAKEN = {"unique", "unique_together"}


def as_refusal(error: Exception) -> Exception:
    """An error in our terms, where it is one that refuses a change; any other as it is."""
    if isinstance(error, ChangedBySql):
        text = f"Nothing was changed: {error}."
        return BadRequest(text, code="changed_by_sql", status=409, should_retry=False)
    if isinstance(error, ProtectedError):
        return BadRequest(str(error.args[0]), code="in_use", status=409, should_retry=False)
    if isinstance(error, ChangeRefused):
        return _refused(error)
    if isinstance(error, OperationalError) and is_busy(error):
        return Unavailable(BUSY, code="database_unavailable", retry_after_s=1)
    if isinstance(error, ModelValidationError):
        return _invalid(error)
    return error


def not_found(one: str, name: str, path: str) -> NotFound:
    """The answer for a row that is not there for this key."""
    return NotFound(f"There is no {one} '{name[:80]}' for this key: GET /api/v1/{path} lists what there is.")


def needs_all_projects(what: str) -> Forbidden:
    """The answer to a restricted key that asks for what concerns everybody."""
    return Forbidden(
        f"This key is for some projects: {what} take a key for all (keys_create --projects '*').",
        code="project_not_granted",
    )


def not_granted(name: str) -> Forbidden:
    """The answer to a restricted key about a project that is not its own, whether it exists or not."""
    return Forbidden(
        f"This key may not manage the project '{name[:128]}': it may change its own projects only. "
        "A key for all projects (keys_create --projects '*') makes new ones.",
        code="project_not_granted",
    )


def refused_field(field: str, code: str, text: str, status: int = CONFLICT) -> BadRequest:
    """A refusal of one field: a conflict has the code for itself, all else has it in its details."""
    message = f"{field}: {text}"
    details = [{"field": field, "code": code, "message": text}]
    known = code if status == CONFLICT else None
    return BadRequest(message, code=known, param=field, status=status, should_retry=False, details=details)


def _refused(error: ChangeRefused) -> RoutingError:
    if error.faults:
        first, details = error.faults[0], _details(error.faults)
        return BadRequest(first.told(), code="change_refused", status=422, should_retry=False, details=details)
    return BadRequest(
        f"{error.findings[0].told()} Send the codes in `details` as `acknowledge`, or send another change.",
        code="not_acknowledged",
        param="acknowledge",
        status=409,
        should_retry=False,
        details=_details(error.findings),
    )


def _details(remarks: Sequence[Fault | Finding]) -> list[Mapping[str, Any]]:
    return [
        {
            "field": each.field or None,
            "code": each.code,
            "message": each.message,
            "object_type": each.object_type,
            "name": each.name,
            "key": each.key,
        }
        for each in remarks
    ]


def _invalid(error: ModelValidationError) -> RoutingError:
    found = as_routing_error(exceptions.ValidationError(as_serializer_error(error)))
    if any(each.get("code") in TAKEN for each in found.details):
        return BadRequest(
            found.message,
            code="already_exists",
            param=found.param,
            status=409,
            should_retry=False,
            details=found.details,
        )
    return found
