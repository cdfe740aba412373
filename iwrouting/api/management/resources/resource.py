"""What the generic views must know of one kind of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet

from iwrouting.api.management.resources.bodies import RowBody
from iwrouting.api.management.resources.filters import Filters
from iwrouting.api.management.resources.refusals import needs_all_projects, not_found
from iwrouting.errors import Forbidden
from iwrouting.models.base import ConfigModel
from iwrouting.models.contents import CONFIGURATION
from iwrouting.resolver import may_ask_alias
from iwrouting.types import KeyFacts
from iwrouting.types.faults import ObjectType


class Resource:
    """One kind of rows: its words, its body, whose rows they are, and what DELETE makes of one.

    `called` is one of them in the document. `path` is their part of the address, `lookup` the column that names a row
    there. `fixed` are the columns that stay once a row exists.
    """

    object_type: ClassVar[ObjectType]
    called: ClassVar[str]
    path: ClassVar[str]
    lookup: ClassVar[str]
    body: ClassVar[type[RowBody]]
    fixed: ClassVar[tuple[str, ...]] = ()
    filters: ClassVar[Filters] = {}
    joined: ClassVar[tuple[str, ...]] = ()

    @property
    def model(self) -> type[ConfigModel]:
        """The table."""
        return CONFIGURATION[self.object_type]

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """The rows that a key may see. Raises Forbidden."""
        if key.projects is not None:
            raise needs_all_projects(f"{self.path}")
        return self.every()

    def every(self) -> QuerySet[Any]:
        """All rows, in an order of which pages can be made, with those that they name."""
        rows: QuerySet[Any] = self.model._default_manager.order_by(*(self.model._meta.ordering or ()), "pk")
        return rows.select_related(*self.joined) if self.joined else rows

    def find(self, key: KeyFacts, name: str) -> Any:
        """The row of an address. Raises NotFound or Forbidden."""
        rows = self.rows(key)
        found = None if "\0" in name else self.named(rows, name).first()
        if found is None:
            raise not_found(self.object_type, name, self.path)
        return found

    def named(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """Those of the rows that an address names: one, or none."""
        return rows.filter(**{self.lookup: name})

    def name_of(self, row: Any) -> str:
        """The last part of a row's address."""
        return str(getattr(row, self.lookup))

    def check_said(self, key: KeyFacts, said: Mapping[str, Any]) -> None:
        """Look at a body before anything else: whether this key may write such a row at all. Raises Forbidden."""
        if key.projects is not None:
            raise needs_all_projects(f"changes of {self.path}")

    def check_row(self, key: KeyFacts, row: Any) -> None:
        """Look at a row as it would be stored: whether this key may say that. Raises Forbidden or BadRequest."""

    def make(self, key: KeyFacts, values: Mapping[str, Any]) -> Any:
        """A new row, not saved."""
        return self.model(**values)

    def archive(self, row: Any) -> None:
        """Take a row that the key sees out of force, where it is in force. Raises ProtectedError."""
        row.delete()

    def shown_once(self, row: Any) -> Mapping[str, Any]:
        """What only the answer to its creation tells."""
        return {}

    def reread(self, address: str) -> str:
        """What to do where the answer to its creation was lost."""
        return f"GET {address} reads it."


class Switched(Resource):
    """Rows that are disabled and stay."""

    def archive(self, row: Any) -> None:
        """Disable it."""
        if row.enabled:
            row.enabled = False
            row.save()


def check_alias(key: KeyFacts, name: str) -> None:
    """Raise Forbidden for an alias that the key may not ask for."""
    if not may_ask_alias(key, name):
        raise Forbidden(f"This key may not manage the alias '{name[:80]}': it is not granted.", code="not_granted")


def check_models(key: KeyFacts, *names: str) -> None:
    """Raise Forbidden for a model beyond the list of the key's models."""
    beyond = [] if key.allowed_models is None else sorted({*names} - key.allowed_models)
    if beyond:
        raise Forbidden(f"This key may not name the model '{beyond[0][:80]}': it is not granted.", code="not_granted")
