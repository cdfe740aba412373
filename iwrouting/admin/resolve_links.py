"""The same question elsewhere: as a link, with curl, on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from iwrouting.admin.links import service_url
from iwrouting.admin.moments import AS_OF, AT, ENVIRONMENT

Way = tuple[str, str]
TEXT_FILE = "question.txt"
"""What stands for the file of a sample text: the text itself is not kept."""


def ways(
    request: HttpRequest, alias: str, project: str | None, features: Mapping[str, int], moment: Mapping[str, str]
) -> list[Way]:
    """Titles and texts to copy, of those ways by which exactly this can be asked."""
    found = [("Link", request.build_absolute_uri())]
    if AT in moment or (ENVIRONMENT in moment and AS_OF not in moment):
        return found
    body: dict[str, Any] = {"alias": alias, "dry_run": True, **moment}
    body |= {"project": project} if project else {}
    body |= {"features": dict(features)} if features else {}
    found.append(("curl", _curl(service_url(request), body)))
    if ENVIRONMENT not in moment:
        found.append(("Command", _command(alias, project, features, moment.get(AS_OF))))
    return found


def _curl(url: str, body: Mapping[str, Any]) -> str:
    data = shlex.quote(json.dumps(body))
    return (
        f'curl -s {shlex.quote(f"{url}/api/v1/resolve")} -H "Authorization: Bearer $IW_API_KEY" '
        f"-H 'Content-Type: application/json' -d {data}"
    )


def _command(alias: str, project: str | None, features: Mapping[str, int], as_of: str | None) -> str:
    told = {"--project": project, "--as-of": as_of, "--text": TEXT_FILE if features else None}
    options = [part for name, value in told.items() if value for part in (name, value)]
    return shlex.join(["python", "manage.py", "routing_resolve", alias, *options])
