"""Who asks: the key's project, and what the request's headers say about it (design.md 5 and 9.7)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from iwrouting.audit import new_id
from iwrouting.conf import Settings
from iwrouting.errors import BadRequest, Forbidden, UnknownProject
from iwrouting.types import Configuration, KeyFacts, Scope

CLIENT_FALLBACKS = re.compile(r"[0-9]{1,9};since=[0-9TZ:.+-]{10,40}")
DEADLINE = "x-iw-deadline-s"
SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
FREE_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
MAX_TAGS = 16
log = logging.getLogger(__name__)
CLIENT_REPORT = "client_fallbacks"
UNKNOWN_PROJECT = "unknown_project"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `project` is a known slug or None; `project_text` is what stands in the audit.

    `deadline_s`: the seconds after which the caller has no more use for an answer, where it said so.
    """

    key: KeyFacts
    request_id: str
    started_ns: int
    project: str | None = None
    project_text: str = ""
    project_external_id: str = ""
    run_id: str = ""
    tags: tuple[str, ...] = ()
    client_retry: int | None = None
    deadline_s: float | None = None
    is_test: bool = False
    looped: bool = False
    warnings: tuple[str, ...] = ()


def request_id(headers: Mapping[str, str]) -> str:
    """The caller's own request id if it is well formed, else a new one."""
    given = headers.get("x-request-id", "")
    return given if FREE_ID.fullmatch(given) else new_id()


def identify(
    config: Configuration,
    conf: Settings,
    key: KeyFacts,
    headers: Mapping[str, str],
    *,
    ident: str,
    started_ns: int,
    note: str = "",
) -> Caller:
    """The caller of one request. Raises Forbidden, UnknownProject or BadRequest.

    `note` is what every decision says now, such as that the database is away. `headers` has lower-case names. A key
    for one project decides alone; one for several takes `x-iw-project`, else `OpenAI-Project` where it names a known
    project, else its default.
    """
    project, text, warnings = _project(config, conf, key, headers)
    facts = config.projects.get(project or "")
    if facts is not None and not facts.enabled:
        raise Forbidden(f"The project '{facts.slug}' is disabled.", code="project_disabled")
    retry = headers.get("x-stainless-retry-count", "")
    return Caller(
        key=key,
        request_id=ident,
        started_ns=started_ns,
        project=project,
        project_text=text,
        project_external_id=facts.external_id if facts else "",
        run_id=_free(headers, "x-iw-run-id"),
        tags=_tags(headers.get("x-iw-tags", "")),
        client_retry=int(retry) if retry.isascii() and retry.isdigit() and len(retry) < 4 else None,
        deadline_s=_deadline(headers),
        is_test=headers.get("x-iw-test", "") == "1",
        looped="x-iw-hop" in headers,
        warnings=(*filter(None, [note]), *warnings, *_client_fallbacks(headers)),
    )


def _client_fallbacks(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What `iwrouting.client` reports of the answers it gave while it could not reach us."""
    report = headers.get("x-iw-client-fallbacks", "")
    if not CLIENT_FALLBACKS.fullmatch(report):
        return ()
    log.warning("a client resolved without us: %s", report)
    return (f"{CLIENT_REPORT}: {report}",)


def is_client_report(warning: str) -> bool:
    """Whether a warning is what a client reported of itself."""
    return warning.startswith(f"{CLIENT_REPORT}:")


def turned_away(key: KeyFacts, headers: Mapping[str, str], *, ident: str, started_ns: int) -> Caller:
    """The caller of a request that `identify` refuses: the key's own project, and what is well formed of the rest."""
    run_id = headers.get("x-iw-run-id", "")
    return Caller(
        key=key,
        request_id=ident,
        started_ns=started_ns,
        project_text=key.default_project,
        run_id=run_id if FREE_ID.fullmatch(run_id) else "",
        is_test=headers.get("x-iw-test", "") == "1",
    )


def require(key: KeyFacts, scope: Scope) -> None:
    """Raise Forbidden unless the key has the scope."""
    if scope not in key.scopes:
        raise Forbidden(f"This key has no scope '{scope}': an operator can add it in the admin.", code="missing_scope")


def _project(
    config: Configuration, conf: Settings, key: KeyFacts, headers: Mapping[str, str]
) -> tuple[str | None, str, tuple[str, ...]]:
    named = headers.get("x-iw-project", "")
    if named:
        return _named(config, conf, key, named)
    if key.projects is None or len(key.projects) > 1:
        hinted = known_project(config, headers.get("openai-project", ""))
        if hinted is not None and may_use(key, hinted):
            return hinted, hinted, ()
    return key.default_project, key.default_project, ()


def _named(config: Configuration, conf: Settings, key: KeyFacts, named: str) -> tuple[str | None, str, tuple[str, ...]]:
    slug = known_project(config, named)
    if slug is not None and may_use(key, slug):
        return slug, slug, ()
    if key.projects is not None and len(key.projects) == 1:
        return key.default_project, key.default_project, ()
    if key.projects is not None:
        raise Forbidden(f"This key may not act for the project '{named[:80]}'.", code="project_not_granted")
    if conf.unknown_project == "refuse":
        raise UnknownProject(
            f"No project '{named[:80]}'. Create it with PUT /api/v1/projects/<external_id>.", param="x-iw-project"
        )
    if not FREE_ID.fullmatch(named):
        raise BadRequest("x-iw-project: use at most 128 characters of letters, digits and ._:/-", param="x-iw-project")
    return None, named, (f"{UNKNOWN_PROJECT}: {named} is no project here; the global rules were used",)


def known_project(config: Configuration, name: str) -> str | None:
    """The slug of a project named by slug or external id."""
    if name in config.projects:
        return name
    return config.projects_by_external_id.get(name)


def may_use(key: KeyFacts, slug: str) -> bool:
    """Whether a key may act for a project."""
    return key.projects is None or slug in key.projects


def _free(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if value and not FREE_ID.fullmatch(value):
        raise BadRequest(f"{name}: use at most 128 characters of letters, digits and ._:/-", param=name)
    return value


def _deadline(headers: Mapping[str, str]) -> float | None:
    value = headers.get(DEADLINE)
    if value is None:
        return None
    seconds = float(value) if SECONDS.fullmatch(value) else 0.0
    if seconds <= 0:
        raise BadRequest(f"{DEADLINE}: must be a decimal number of seconds above 0, such as 2.5.", param=DEADLINE)
    return seconds


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(tag.strip() for tag in text.split(",") if tag.strip())
    if len(tags) > MAX_TAGS or not all(FREE_ID.fullmatch(tag) for tag in tags):
        raise BadRequest(
            f"x-iw-tags: at most {MAX_TAGS} tags, separated by commas, of letters, digits and ._:/-", param="x-iw-tags"
        )
    return tags
