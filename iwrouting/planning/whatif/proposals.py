"""What is proposed, as a plan and as the two configurations that a what-if compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.utils import timezone

from iwrouting import catalogue
from iwrouting.models.contents import CONFIGURATION, HIDDEN, Content, content_of, name_of, row_of
from iwrouting.models.invalid import told_lines
from iwrouting.planning.bundles import BundleRefused, plan_bundle, read_bundle
from iwrouting.planning.plan import Plan, PlannedRow, plan_now
from iwrouting.resolver.faults import findings, refusals
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.contents import configuration_of, contents_now, named
from iwrouting.types import Configuration


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, and the configurations before and after it.

    `refused`: why it could not be saved as it is, a line each; `findings`: what would have to be acknowledged.
    """

    plan: Plan
    before: Configuration
    after: Configuration
    refused: tuple[str, ...]
    findings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As API and commands show it."""
        rows = [_told(row) for row in self.plan.changes]
        return {"changes": rows, "refused": list(self.refused), "findings": list(self.findings)}


class BadProposal(ValueError):
    """What is proposed can't be meant; the text has one line a fault."""


@dataclass(slots=True)
class Wish:
    """Changes asked for one by one. Raises BadProposal where one names what is not there.

    Each is on top of what is stored now and of those before it.
    """

    rows: dict[str, dict[str, Content | None]] = field(default_factory=dict)
    _now: dict[str, dict[str, Content]] = field(default_factory=lambda: _stored())

    def override(self, alias: str, model: str | None, project: str | None = None, **more: Any) -> None:
        """Another model for an alias, of one project or of all, at once and for good; None takes the override away."""
        self._check_alias(alias)
        if project is not None and project not in self._now["project"]:
            raise BadProposal(f"There is no project {project!r}: name one by its slug.")
        place = {"alias": alias, "project": project}
        if model is None:
            self.remove("override", name_of("override", place))
        else:
            usual = {"enabled": True, "starts_at": None, "expires_at": None}
            self.change("override", name_of("override", place), {**place, **usual, **more, "model": model})

    def default(self, alias: str, model: str) -> None:
        """Another default of an alias."""
        self._check_alias(alias)
        self.change("alias", alias, {"default_model": model})

    def profile(self, profile: str) -> None:
        """The defaults of a profile of the built-in matrix, for the aliases that there are."""
        for name, alias in catalogue.matrix().items():
            if name in self._now["alias"]:
                self.change("alias", name, {"default_model": alias.model(profile)})

    def change(self, kind: str, name: str, fields: Content) -> None:
        """A row with other values in these fields, or a new row with them."""
        if kind not in CONFIGURATION:
            raise BadProposal(f"{kind!r} is no kind of object. There are: {', '.join(CONFIGURATION)}.")
        blank = content_of(CONFIGURATION[kind]())
        if unknown := sorted(set(fields) - set(blank) | set(fields) & HIDDEN):
            raise BadProposal(f"{kind} {name}: no field {unknown[0]!r}. There are: {', '.join(blank)}.")
        self.rows.setdefault(kind, {})[name] = {**(self._present(kind, name) or blank), **fields}

    def remove(self, kind: str, name: str) -> None:
        """No such row any more."""
        if kind not in CONFIGURATION or self._present(kind, name) is None:
            raise BadProposal(f"There is no {kind} {name!r} to take away.")
        self.rows.setdefault(kind, {})[name] = None

    def _check_alias(self, alias: str) -> None:
        if alias not in self._now["alias"]:
            raise BadProposal(f"There is no alias {alias!r}. There are: {', '.join(sorted(self._now['alias']))}.")

    def _present(self, kind: str, name: str) -> Content | None:
        asked = self.rows.get(kind, {})
        return asked[name] if name in asked else self._now[kind].get(name)


def _told(row: PlannedRow) -> dict[str, Any]:
    changed = {name: pair for name, pair in row.changed.items() if name not in HIDDEN}
    return {"operation": row.operation, "object_type": row.object_type, "name": row.name, "changed": changed}


def _stored() -> dict[str, dict[str, Content]]:
    try:
        now = contents_now()
    except SnapshotRefused as error:
        raise BadProposal(f"The configuration can't be read: {error}.") from None
    return {kind: {name: now[kind][pk] for name, pk in rows.items()} for kind, rows in named(now).items()}


def propose(wish: Wish) -> Proposal:
    """What is wished, on top of what is stored now. Raises BadProposal."""
    return proposal_of(plan_now(wish.rows))


def propose_bundle(data: bytes | str, file: str = "bundle", *, prune: bool = False) -> Proposal:
    """What a bundle says, on top of what is stored now; `prune`: without what it does not have. Raises BadProposal."""
    try:
        return proposal_of(plan_bundle(read_bundle(data, file), prune=prune).plan)
    except (BundleRefused, SnapshotRefused) as error:
        raise BadProposal(str(error)) from None


def proposal_of(plan: Plan) -> Proposal:
    """What a plan proposes. Raises BadProposal where its rows can't be read as a configuration, or it is stale."""
    if faults := [*plan.missing, *_row_faults(plan)]:
        raise BadProposal("\n".join(faults))
    try:
        before, after = load(), configuration_of(plan.contents, plan.base)
    except SnapshotRefused as error:
        raise BadProposal(f"{error}.") from None
    if before.revision != plan.base:
        raise BadProposal(f"Config changed since this plan (revision {plan.base} -> {before.revision}). Plan again.")
    now = timezone.now()
    touched = {(row.object_type, row.name) for row in plan.changes}
    refused = tuple(each.told() for each in refusals(before, after, touched, now=now))
    return Proposal(plan, before, after, refused, tuple(each.told() for each in findings(before, after, now)))


def _row_faults(plan: Plan) -> Iterator[str]:
    for row in plan.changes:
        if row.after is not None:
            yield from _faults(row, row.after)


def _faults(row: PlannedRow, content: Content) -> Iterator[str]:
    """What the columns of a row say against its content."""
    try:
        made = row_of(row.object_type, None, content)
        references = [each.name for each in made._meta.concrete_fields if isinstance(each, ForeignKey)]
        made.clean_fields(exclude=["id", *references])
    except ValidationError as error:
        yield from (f"{row.object_type} {row.name}: {line}" for line in told_lines(error))
    except (TypeError, ValueError, OverflowError):
        yield f"{row.object_type} {row.name}: a value of another type than its column has."
