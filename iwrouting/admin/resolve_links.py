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


def ways(
    request: HttpRequest, alias: str, project: str | None, features: Mapping[str, int], moment: Mapping[str, str]
) -> list[Way]:
    """Titles and texts to copy. A revision that is looked at as of another time can be asked for here alone."""
    found = [("Link", request.build_absolute_uri())]
    if AT in moment:
        return found
    body: dict[str, Any] = {"alias": alias, "dry_run": True}
    body |= {"project": project} if project else {}
    body |= {"features": dict(features)} if features else {}
    past = {name: moment[name] for name in (AS_OF, ENVIRONMENT) if name in moment}
    if ENVIRONMENT in past and AS_OF not in past:
        return found
    return [
        *found,
        ("curl", _curl(service_url(request), body | past)),
        ("Command", _command(alias, project, features, past)),
    ]


def _curl(url: str, body: Mapping[str, Any]) -> str:
    data = shlex.quote(json.dumps(body))
    return (
        f'curl -s {shlex.quote(f"{url}/api/v1/resolve")} -H "Authorization: Bearer $IW_API_KEY" '
        f"-H 'Content-Type: application/json' -d {data}"
    )


def _command(alias: str, project: str | None, features: Mapping[str, int], past: Mapping[str, str]) -> str:
    told = {"--project": project, "--as-of": past.get(AS_OF), "--environment": past.get(ENVIRONMENT)}
    told["--features"] = json.dumps(dict(features)) if features else None
    options = [part for name, value in told.items() if value for part in (name, value)]
    return shlex.join(["python", "manage.py", "routing_resolve", alias, *options])
