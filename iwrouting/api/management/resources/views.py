"""The generic views: a list that takes new rows, and one row that is read, changed and archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.resources.attempts import read_attempt
from iwrouting.api.management.resources.bodies import RowBody, defaults_of, is_same
from iwrouting.api.management.resources.filters import lookups
from iwrouting.api.management.resources.pages import PAGED, page_of
from iwrouting.api.management.resources.refusals import refused_field
from iwrouting.api.management.resources.resource import Resource
from iwrouting.api.management.resources.writing import (
    Asked,
    check_match,
    plan_of,
    read_asked,
    revision_of,
    row_of,
    written,
)
from iwrouting.errors import BadRequest
from iwrouting.models import OpenChange
from iwrouting.models.remembering import last_rows
from iwrouting.snapshot import store

ROOT = "/api/v1"
ARCHIVING = frozenset({"acknowledge", "dry_run"})


class RowView(ManagementView):
    """Base of both."""

    resource: ClassVar[Resource]

    def told(self, row: Any, revision: int) -> dict[str, Any]:
        """A row as the answer has it."""
        return dict(self.resource.body(row, context={"revisions": {row.pk: revision}}).data)

    def address(self, row: Any) -> str:
        """Where a row stands."""
        return f"{ROOT}/{self.resource.path}/{quote(self.resource.name_of(row), safe='/:')}"

    def answer(self, row: Any, status: int = 200, made: OpenChange | None = None, **once: Any) -> Response:
        """A row with its ETag, as the change `made` left it."""
        revision = revision_of(self.resource.object_type, row.pk, made)
        headers = {"etag": f'"{revision}"'}
        if status == 201:
            headers["location"] = self.address(row)
        if once:
            headers["cache-control"] = "no-store"
        return Response({**self.told(row, revision), **once}, status=status, headers=headers)

    def finished(self, made: OpenChange, row: Any, status: int = 200, **once: Any) -> Response:
        """The answer to a write: the plan of a dry run, else the row as this worker serves it from now on."""
        if made.is_rehearsal:
            return Response(plan_of(made))
        store.check()
        return self.answer(row, status, made, **once)

    def create(self, request: Request, asked: Asked, step: Callable[[], Any]) -> Response:
        """The answer to a step that makes a row: once, where the caller has named the attempt."""
        resource = self.resource
        attempt = (
            None
            if asked.dry_run
            else read_attempt(self.key, request.headers, request.path, self.said, self.address, resource.reread)
        )
        made, row = written(self.key, asked, step, attempt)
        once = {} if asked.dry_run else resource.shown_once(row)
        return self.finished(made, row, 201, **once)

    def filled(self, row: Any, values: Mapping[str, Any]) -> bool:
        """Say it to a row; whether that changes it. Raises what refuses it."""
        changed = {name: value for name, value in values.items() if not is_same(getattr(row, name), value)}
        for name in changed:
            if name in self.resource.fixed:
                text = f"it is {_shown(getattr(row, name))} and stays so, since the audit names it. Make a new one."
                raise refused_field(name, "fixed", text)
            setattr(row, name, changed[name])
        return bool(changed)

    def stored(self, row: Any) -> None:
        """Check and save a row. Raises what refuses it."""
        self.resource.check_row(self.key, row)
        row.full_clean()
        row.save()


class RowList(RowView):
    """All rows of a kind that the key may see."""

    @property
    def parameters(self) -> frozenset[str]:  # type: ignore[override] # as the resource has them
        """The filters, and the page."""
        return PAGED | self.resource.filters.keys() if self.request.method in ("GET", "HEAD") else frozenset()

    def get(self, request: Request) -> Response:
        """A page of them."""
        query = {name: str(value) for name, value in request.query_params.items()}
        rows = self.resource.rows(self.key).filter(**lookups(self.resource.filters, query))
        page, beside = page_of(rows, request.path, query)
        last = last_rows(None, self.resource.object_type, [row.pk for row in page])
        results = [self.told(row, last[row.pk].revision if row.pk in last else 0) for row in page]
        return Response({"results": results, **beside})

    def post(self, request: Request) -> Response:
        """Make one."""
        said = self.said
        self.resource.check_said(self.key, row_of(said))
        asked = read_asked(said, request.headers)

        def step() -> Any:
            body = self.resource.body(data=said)
            body.is_valid(raise_exception=True)
            row = self.resource.make(self.key, row_of(body.validated_data))
            self.stored(row)
            return row

        return self.create(request, asked, step)


class RowDetail(RowView):
    """One row."""

    @property
    def parameters(self) -> frozenset[str]:  # type: ignore[override] # what a DELETE, which has no body, says
        """None but those of DELETE."""
        return ARCHIVING if self.request.method == "DELETE" else frozenset()

    def get(self, request: Request, name: str) -> Response:
        """Read it."""
        return self.answer(self.resource.find(self.key, name))

    def patch(self, request: Request, name: str) -> Response:
        """Change what the body names."""
        return self.change(request, name, whole=False)

    def put(self, request: Request, name: str) -> Response:
        """Make it what the body says: what is left out becomes what it is on a new row."""
        return self.change(request, name, whole=True)

    def change(self, request: Request, name: str, *, whole: bool) -> Response:
        """Change it, on top of what the caller has read."""
        said = self.said
        self.resource.check_said(self.key, row_of(said))
        asked = read_asked(said, request.headers)

        def step() -> Any:
            # Under the counter's lock: nobody changes it between this and the commit.
            row = self.resource.find(self.key, name)
            self.match(request, row, row_of(said), needed=True)
            body = self.resource.body(row, data=said, partial=not whole)
            body.is_valid(raise_exception=True)
            left_out = self.left_out(body) if whole else {}
            if self.filled(row, {**left_out, **row_of(body.validated_data)}):
                self.stored(row)
            return row

        return self.finished(*written(self.key, asked, step))

    def delete(self, request: Request, name: str) -> Response:
        """Archive it."""
        self.resource.check_said(self.key, {})
        asked = read_asked(_query(request), request.headers)

        def step() -> Any:
            row = self.resource.find(self.key, name)
            self.match(request, row, {}, needed=False)
            pk = row.pk
            self.resource.archive(row)
            row.pk = pk
            return row

        return self.finished(*written(self.key, asked, step))

    def left_out(self, body: RowBody) -> dict[str, Any]:
        """What a PUT makes of what it leaves out; what stays, stays."""
        found = defaults_of(self.resource.model, body, self.said)
        return {name: value for name, value in found.items() if name not in self.resource.fixed}

    def match(self, request: Request, row: Any, said: Mapping[str, Any], *, needed: bool) -> None:
        """Raise BadRequest unless the caller has read this row as it stands."""
        check_match(request.headers.get("if-match", ""), self.resource.object_type, row, said, needed=needed)


def _query(request: Request) -> dict[str, Any]:
    query = request.query_params
    if request.body:
        raise BadRequest("DELETE takes no body: send x-change-reason, and acknowledge and dry_run as parameters.")
    dry_run = query.get("dry_run", "false")
    if dry_run not in ("true", "false"):
        raise BadRequest("dry_run: must be true or false.", param="dry_run")
    seen = [each for each in query.get("acknowledge", "").split(",") if each]
    return {"acknowledge": seen, "dry_run": dry_run == "true"}


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
