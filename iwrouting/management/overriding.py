"""Overrides from the command line: finding one, and what it is to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from iwrouting.errors import RoutingError
from iwrouting.models import Revision
from iwrouting.models.contents import Content, name_of
from iwrouting.planning import Plan, plan_wanted
from iwrouting.planning.bundles.faults import instead
from iwrouting.resolver import resolve
from iwrouting.snapshot.contents import Contents, configuration_of, contents_now, named
from iwrouting.types.faults import override_name

KEPT_DAYS = 30
NEVER = "never"
WRONG_USAGE = 2
FRESH: Content = {"enabled": True, "infer": True, "starts_at": None, "expires_at": None, "reason": ""}


@dataclass(frozen=True, slots=True)
class Overriding:
    """The configuration on which an override is to be changed."""

    base: int
    now: Contents

    @classmethod
    def begin(cls) -> Overriding:
        """What is stored now. Raises SnapshotRefused."""
        base = Revision.current()
        return cls(base, contents_now())

    def found(self, given: str, project: str) -> Content:
        """The override of a number, or of an alias and a project. Raises CommandError."""
        overrides = self.now["override"]
        if given.isdecimal():
            if (content := overrides.get(int(given))) is not None:
                return content
            raise CommandError(f"There is no override {given}. {self._there()}")
        name = override_name(given, self.project(project))
        if (pk := named(self.now)["override"].get(name)) is not None:
            return overrides[pk]
        raise CommandError(f"There is no override {name}. {self._there()}")

    def project(self, given: str) -> str | None:
        """The slug of a project named by slug or external id; None for an empty name. Raises CommandError."""
        projects = {content["slug"]: content for content in self.now["project"].values()}
        if not given or given in projects:
            return given or None
        by_external_id: dict[str, str] = {content["external_id"]: slug for slug, content in projects.items()}
        if given in by_external_id:
            return by_external_id[given]
        raise CommandError(f"There is no project {given}. {instead(given, projects) if projects else ''}".rstrip())

    def set(self, options: Mapping[str, Any]) -> Plan:
        """Make an override, or make the one that is there serve another model from now on."""
        alias, project = options["override"], self.project(options["project"])
        aliases = named(self.now)["alias"]
        if alias not in aliases:
            raise CommandError(f"There is no alias {alias}. {instead(alias, aliases)}")
        pk = named(self.now)["override"].get(override_name(alias, project))
        former = None if pk is None else self.now["override"][pk]
        content = {**(former or FRESH), "alias": alias, "project": project, "model": options["model"]}
        content |= {"enabled": True, "reason": options["reason"].strip()}
        if options["infer"]:
            content["infer"] = options["infer"] == "on"
        if options["starts"] is not None:
            content["starts_at"] = stored(options["starts"])
        content["expires_at"] = _expiry(options["expires"], former)
        return self.changed(content)

    def switched(self, content: Content, enabled: bool) -> Plan:
        """Enable or disable it."""
        return self.changed({**content, "enabled": enabled})

    def extended(self, content: Content, by: timedelta, until: datetime | str | None) -> Plan:
        """Let it end later: at a time, or by so much after its end, or after now where that has passed."""
        if until is not None:
            return self.changed({**content, "expires_at": None if until == NEVER else stored(until)})
        if content["expires_at"] is None:
            name = name_of("override", content)
            raise CommandError(f"The override {name} has no end, so there is nothing to extend: --expires sets one.")
        end = max(datetime.fromisoformat(content["expires_at"]), _now())
        return self.changed({**content, "expires_at": stored(end + by)})

    def changed(self, content: Content) -> Plan:
        """The plan that gives an override this content."""
        return self._plan(name_of("override", content), content)

    def deleted(self, content: Content) -> Plan:
        """The plan that deletes it; history keeps it."""
        return self._plan(name_of("override", content), None)

    def effect(self, plan: Plan) -> Iterator[str]:
        """What serves where an override changes, before and after: `manager for atlas: gpt-4.1 (default) -> ...`."""
        for row in plan.changes:
            content = row.after or row.before or {}
            before, after = (self._serves(each, content) for each in (self.now, plan.contents))
            told = "serves as before" if before == after else f"{before} ->"
            yield f"{row.name}: {told} {after}"

    def _serves(self, contents: Contents, content: Content) -> str:
        config = configuration_of(contents, self.base)
        try:
            found = resolve(config, content["alias"], project=content["project"], now=datetime.now(UTC))
        except RoutingError as error:
            return str(error)
        return f"{found.model} ({found.source})"

    def _plan(self, name: str, content: Content | None) -> Plan:
        return plan_wanted(self.now, self.base, {"override": {name: content}})

    def _there(self) -> str:
        names = [f"{pk} ({name_of('override', content)})" for pk, content in self.now["override"].items()]
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        return f"There are {', '.join(names[:10])}{more}." if names else "There is none."


def stored(at: datetime | str) -> str:
    """A time as contents hold it."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _now() -> datetime:
    return datetime.now(UTC)


def _expiry(asked: datetime | str | None, former: Content | None) -> str | None:
    """When it is to end: as asked; else as before, where that is to come; else in 30 days (ux.md 2)."""
    if asked == NEVER:
        return None
    if asked is not None:
        return stored(asked)
    kept: str | None = former["expires_at"] if former is not None else ""
    if kept is None or (kept and datetime.fromisoformat(kept) > _now()):
        return kept
    return stored(_now() + timedelta(days=KEPT_DAYS))
